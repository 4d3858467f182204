//! An animated GIF of screenshots: one palette for all frames, and in each frame only the pixels that changed.

use std::{
    borrow::Cow,
    collections::{BTreeMap, HashMap},
    io::Cursor,
};

use anyhow::{Context, Result, ensure};
use gif::{DisposalMethod, Encoder, Repeat};

/// The index of transparency; the other 255 are colours.
const TRANSPARENT: u8 = 255;
/// The bits of a colour channel that distinguish two colours. Eight would make every shade of an edge a separate colour.
const CHANNEL_BITS: u32 = 6;
/// GIF counts hundredths of a second.
const MILLISECONDS_PER_TICK: u64 = 10;

type Colour = [u8; 3];

/// A screenshot.
pub(super) struct Frame {
    width: u16,
    height: u16,
    pixels: Vec<Colour>,
    milliseconds: u64,
}

impl Frame {
    pub(super) fn from_png(bytes: &[u8], milliseconds: u64) -> Result<Self> {
        let mut decoder = png::Decoder::new(Cursor::new(bytes));
        decoder.set_transformations(png::Transformations::normalize_to_color8());
        let mut reader = decoder.read_info()?;
        let mut buffer = vec![0; reader.output_buffer_size().context("the picture is too large")?];
        let info = reader.next_frame(&mut buffer)?;
        let channels = info.color_type.samples();
        ensure!(channels >= 3, "the screenshot has no colours");
        let pixels = buffer[..info.buffer_size()]
            .chunks_exact(channels)
            .map(|pixel| [pixel[0], pixel[1], pixel[2]].map(coarse))
            .collect();
        let (width, height) = (u16::try_from(info.width)?, u16::try_from(info.height)?);
        Ok(Self { width, height, pixels, milliseconds })
    }
}

/// Rounds a channel. The upper bits fill the lower ones, so that white stays white.
fn coarse(channel: u8) -> u8 {
    let upper = channel & (u8::MAX << (u8::BITS - CHANNEL_BITS));
    upper | (upper >> CHANNEL_BITS)
}

/// Encodes the frames, which have the same size, as an animation without end.
pub(super) fn encode(frames: &[Frame]) -> Result<Vec<u8>> {
    let first = frames.first().context("the scene has no frame")?;
    let palette = Palette::of(frames);
    let mut bytes = Vec::new();
    let mut encoder = Encoder::new(&mut bytes, first.width, first.height, &palette.flat())?;
    encoder.set_repeat(Repeat::Infinite)?;
    let mut shown: Option<Vec<u8>> = None;
    let mut waiting: Option<gif::Frame<'_>> = None;
    for frame in frames {
        let indices: Vec<u8> = frame.pixels.iter().map(|colour| palette.indices[colour]).collect();
        let delay = u16::try_from(frame.milliseconds / MILLISECONDS_PER_TICK)?;
        match (changes(shown.as_deref(), &indices, frame), &mut waiting) {
            // Nothing changed: the frame before is shown for longer.
            (None, Some(before)) => before.delay = before.delay.saturating_add(delay),
            (changed, before) => {
                if let Some(before) = before.take() {
                    encoder.write_frame(&before)?;
                }
                waiting = changed.map(|changed| gif::Frame { delay, ..changed });
            }
        }
        shown = Some(indices);
    }
    if let Some(last) = waiting {
        encoder.write_frame(&last)?;
    }
    drop(encoder);
    Ok(bytes)
}

/// The smallest rectangle with all changes; pixels in it that stay are transparent. Nothing if no pixel changed.
fn changes(shown: Option<&[u8]>, indices: &[u8], frame: &Frame) -> Option<gif::Frame<'static>> {
    let (width, height) = (usize::from(frame.width), usize::from(frame.height));
    let is_changed = |at: usize| shown.is_none_or(|shown| shown[at] != indices[at]);
    let changed = || (0..indices.len()).filter(|at| is_changed(*at));
    let (top, bottom) = (changed().next()? / width, changed().next_back()? / width);
    let left = changed().map(|at| at % width).min()?;
    let right = changed().map(|at| at % width).max()?;
    debug_assert!(bottom < height, "the indices are those of the frame");
    let buffer: Vec<u8> = (top..=bottom)
        .flat_map(|row| (left..=right).map(move |column| row * width + column))
        .map(|at| if is_changed(at) { indices[at] } else { TRANSPARENT })
        .collect();
    Some(gif::Frame {
        left: u16::try_from(left).ok()?,
        top: u16::try_from(top).ok()?,
        width: u16::try_from(right + 1 - left).ok()?,
        height: u16::try_from(bottom + 1 - top).ok()?,
        transparent: Some(TRANSPARENT),
        dispose: DisposalMethod::Keep,
        buffer: Cow::Owned(buffer),
        ..gif::Frame::default()
    })
}

/// The colours of all frames. Screenshots of a page have few large areas and many rare shades on the edges of letters,
/// so the most frequent colours stay exact and every other one becomes the nearest of these.
struct Palette {
    colours: Vec<Colour>,
    indices: HashMap<Colour, u8>,
}

impl Palette {
    fn of(frames: &[Frame]) -> Self {
        let mut counts: BTreeMap<Colour, usize> = BTreeMap::new();
        for colour in frames.iter().flat_map(|frame| &frame.pixels) {
            *counts.entry(*colour).or_default() += 1;
        }
        let mut colours: Vec<Colour> = counts.keys().copied().collect();
        colours.sort_by_key(|colour| std::cmp::Reverse(counts[colour]));
        colours.truncate(usize::from(TRANSPARENT));
        let indices = counts.keys().map(|colour| (*colour, nearest(&colours, *colour))).collect();
        Self { colours, indices }
    }

    fn flat(&self) -> Vec<u8> {
        self.colours.iter().flatten().copied().collect()
    }
}

fn nearest(colours: &[Colour], wanted: Colour) -> u8 {
    let distance = |colour: &Colour| -> u32 {
        colour.iter().zip(wanted).map(|(one, other)| u32::from(one.abs_diff(other)).pow(2)).sum()
    };
    let found = colours.iter().enumerate().min_by_key(|(_, colour)| distance(colour));
    found.and_then(|(index, _)| u8::try_from(index).ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(pixels: [Colour; 4], milliseconds: u64) -> Frame {
        Frame { width: 2, height: 2, pixels: pixels.into(), milliseconds }
    }

    #[test]
    fn frames_hold_only_their_changes_and_equal_ones_are_shown_for_longer() {
        let (white, blue) = ([252; 3], [0, 0, 252]);
        let frames =
            [frame([white; 4], 100), frame([white; 4], 200), frame([white, white, white, blue], 300)];
        let bytes = encode(&frames).expect("it can be encoded");
        let mut options = gif::DecodeOptions::new();
        options.set_color_output(gif::ColorOutput::Indexed);
        let mut decoder = options.read_info(Cursor::new(bytes)).expect("it is a GIF");
        let mut found = Vec::new();
        while let Some(frame) = decoder.read_next_frame().expect("it is a frame") {
            found.push((frame.left, frame.top, frame.width, frame.height, frame.delay));
        }
        assert_eq!(found, [(0, 0, 2, 2, 30), (1, 1, 1, 1, 30)]);
    }
}
