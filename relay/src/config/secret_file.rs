//! Reads a file with a secret, up to a maximum size, into memory that is overwritten afterwards.

use std::{
    fs::File,
    io::{self, Read as _},
    path::Path,
};
use zeroize::Zeroizing;

/// Reads a file of at most `max` bytes as text. The error states the problem without its position.
pub(super) fn read(path: &Path, max: u64) -> Result<Zeroizing<String>, String> {
    match bounded(path, max) {
        Ok(Some(text)) => Ok(text),
        Ok(None) => Err(format!("is larger than {max} bytes; check that the file is the intended one")),
        Err(error) => Err(format!("cannot be read: {error}")),
    }
}

/// Returns `None` if the file is larger.
fn bounded(path: &Path, max: u64) -> io::Result<Option<Zeroizing<String>>> {
    let file = File::open(path)?;
    // A buffer that never grows leaves no copy of its contents behind.
    let capacity = file.metadata()?.len().min(max) + 2;
    let mut bytes = Zeroizing::new(Vec::with_capacity(usize::try_from(capacity).unwrap_or(0)));
    file.take(max + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > max {
        return Ok(None);
    }
    let text = str::from_utf8(&bytes)
        .map_err(|_| io::Error::new(io::ErrorKind::InvalidData, "the file is not text in UTF-8"))?;
    Ok(Some(Zeroizing::new(text.to_owned())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn a_file_beyond_its_maximum_size_or_without_text_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("key");
        for (bytes, expected) in [
            (&b"four"[..], Ok("four")),
            (b"", Ok("")),
            (b"fives", Err("larger than 4 bytes")),
            (b"\xff", Err("not text in UTF-8")),
        ] {
            fs::write(&path, bytes).unwrap();
            match (read(&path, 4), expected) {
                (Ok(text), Ok(expected)) => assert_eq!(&**text, expected),
                (Err(problem), Err(expected)) => assert!(problem.contains(expected), "{problem}"),
                (read, _) => panic!("{read:?}"),
            }
        }
        // A file without an end, whose size is unknown, is read up to the maximum.
        assert!(read(Path::new("/dev/zero"), 1024).unwrap_err().contains("larger than 1024 bytes"));
    }
}
