//! The file of a Unix domain socket: an abandoned one is replaced, and the relay's own is removed at the end.

use std::{
    fs, io,
    os::unix::{
        fs::{FileTypeExt as _, MetadataExt as _, PermissionsExt as _},
        net::{UnixListener, UnixStream},
    },
    path::{Path, PathBuf},
};

/// The file of a listening socket. Dropping it removes the file, unless another socket has replaced it.
pub(crate) struct SocketFile {
    path: PathBuf,
    inode: u64,
}

/// Listens on a socket with this file mode, which decides who may connect. An abandoned socket is replaced. A file that is
/// not a socket, or a socket on which another process listens, is an error.
pub(super) fn listen(path: &Path, mode: u32) -> io::Result<(UnixListener, SocketFile)> {
    check_free(path)?;
    // The socket has a temporary name until its mode is set, and is then renamed atomically.
    let mut draft = path.as_os_str().to_owned();
    draft.push(format!(".{}", std::process::id()));
    let draft = PathBuf::from(draft);
    let listener = UnixListener::bind(&draft)?;
    let prepared = fs::set_permissions(&draft, fs::Permissions::from_mode(mode))
        .and_then(|()| Ok(fs::symlink_metadata(&draft)?.ino()))
        .and_then(|inode| fs::rename(&draft, path).map(|()| inode));
    match prepared {
        Ok(inode) => Ok((listener, SocketFile { path: path.to_owned(), inode })),
        Err(error) => {
            let _ = fs::remove_file(&draft);
            Err(error)
        }
    }
}

fn check_free(path: &Path) -> io::Result<()> {
    let in_use = |message| Err(io::Error::new(io::ErrorKind::AddrInUse, message));
    match fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
        Ok(file) if !file.file_type().is_socket() => return in_use("the file exists and is not a socket"),
        Ok(_) => {}
    }
    match UnixStream::connect(path) {
        Ok(_) => in_use("another process listens on the socket"),
        // The process that created the socket is gone.
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => Ok(()),
        Err(error) => Err(error),
    }
}

impl SocketFile {
    pub(super) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        if fs::symlink_metadata(&self.path).is_ok_and(|file| file.ino() == self.inode) {
            let _ = fs::remove_file(&self.path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MODE: u32 = 0o660;

    #[test]
    fn only_an_abandoned_socket_is_replaced() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("relay.sock");
        let (_first, file) = listen(&path, MODE).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, MODE);
        let error = listen(&path, MODE).err().unwrap();
        assert_eq!(error.kind(), io::ErrorKind::AddrInUse);
        // A process that crashes leaves its socket.
        std::mem::forget(file);
        drop(_first);
        let (second, file) = listen(&path, MODE).unwrap();
        drop(file);
        assert!(!path.exists());
        drop(second);
        fs::write(&path, "precious").unwrap();
        assert!(listen(&path, MODE).err().unwrap().to_string().contains("not a socket"));
        assert_eq!(fs::read_to_string(&path).unwrap(), "precious");
        assert_eq!(fs::read_dir(&directory).unwrap().count(), 1);
    }

    #[test]
    fn a_socket_that_replaced_the_file_is_not_removed() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("relay.sock");
        let (first, file) = listen(&path, MODE).unwrap();
        drop(first);
        let (_second, _file) = listen(&path, MODE).unwrap();
        drop(file);
        assert!(path.exists());
    }
}
