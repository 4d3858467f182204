//! Reads the fields of a protobuf message for a client. The code that prost generates has the same loop for each message, and
//! is several times as large in the core for pages.

use super::FrameError;
use alloc::{string::String, vec::Vec};
use bytes::{Buf as _, Bytes};

/// The greatest field number of the messages to a client, plus one. Fields with a greater number are skipped.
const COUNT: usize = 7;

/// The value of a field.
#[derive(Default)]
pub(super) enum Value {
    #[default]
    Absent,
    Number(u64),
    Bytes(Bytes),
}

/// The fields of a message. If a field occurs several times, the last value counts.
pub(super) struct Fields([Value; COUNT]);

impl Fields {
    pub(super) fn read(mut message: Bytes) -> Result<Self, FrameError> {
        let mut fields = [const { Value::Absent }; COUNT];
        while let Some((number, value)) = next(&mut message)? {
            if let Some(field) = fields.get_mut(number) {
                *field = value;
            }
        }
        Ok(Self(fields))
    }

    /// Returns a number, or 0 if the field is absent.
    pub(super) fn u64(&self, number: usize) -> Result<u64, FrameError> {
        match self.0[number] {
            Value::Absent => Ok(0),
            Value::Number(value) => Ok(value),
            Value::Bytes(_) => Err(FrameError::Unknown),
        }
    }

    /// Returns the lower half of a number, or 0 if the field is absent.
    #[allow(clippy::cast_possible_truncation, reason = "protobuf truncates as well")]
    pub(super) fn u32(&self, number: usize) -> Result<u32, FrameError> {
        self.u64(number).map(|value| value as u32)
    }

    /// Takes the bytes of a field, or returns `None` if the field is absent.
    pub(super) fn optional(&mut self, number: usize) -> Result<Option<Bytes>, FrameError> {
        match core::mem::take(&mut self.0[number]) {
            Value::Absent => Ok(None),
            Value::Bytes(bytes) => Ok(Some(bytes)),
            Value::Number(_) => Err(FrameError::Unknown),
        }
    }

    /// Takes the bytes of a field, which are empty if the field is absent.
    pub(super) fn bytes(&mut self, number: usize) -> Result<Bytes, FrameError> {
        self.optional(number).map(Option::unwrap_or_default)
    }

    /// Takes the text of a field, which is empty if the field is absent.
    pub(super) fn text(&mut self, number: usize) -> Result<String, FrameError> {
        String::from_utf8(Vec::from(self.bytes(number)?)).map_err(|_| FrameError::Unknown)
    }
}

/// Takes the next field with its number, or returns `None` at the end of the message.
pub(super) fn next(message: &mut Bytes) -> Result<Option<(usize, Value)>, FrameError> {
    while !message.is_empty() {
        let key = u32::try_from(varint(message)?).map_err(|_| FrameError::Unknown)?;
        let number = (key >> 3) as usize;
        let length = match key & 7 {
            0 => return Ok(Some((number, Value::Number(varint(message)?)))),
            1 => 8,
            2 => varint(message)?,
            5 => 4,
            _ => return Err(FrameError::Unknown),
        };
        let length = usize::try_from(length).ok().filter(|length| *length <= message.len());
        let bytes = message.split_to(length.ok_or(FrameError::Unknown)?);
        // No message has a field of fixed width, so such a field is unknown, and skipped.
        if key & 7 == 2 {
            return Ok(Some((number, Value::Bytes(bytes))));
        }
    }
    Ok(None)
}

fn varint(message: &mut Bytes) -> Result<u64, FrameError> {
    let mut value = 0;
    for (index, byte) in message.iter().take(10).enumerate() {
        value |= u64::from(byte & 0x7f) << (7 * index);
        if *byte < 0x80 {
            message.advance(index + 1);
            return Ok(value);
        }
    }
    Err(FrameError::Unknown)
}
