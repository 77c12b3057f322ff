//! A lock on a path that ends with its process, however that ends.
//!
//! Node has none. A file with a process number in it, which is what programs make do with, outlives a process that is
//! killed; the number is soon another process's, and means nothing in the next container. What the system locks it
//! unlocks by itself.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use napi_derive::napi;

/// A lock that was removed while it was waited for is looked for again; nobody can keep that up for so long.
const TURNS: u32 = 1000;

/// A lock that is held.
#[napi]
pub struct NativeFileLock {
    /// `None`: it has been released.
    held: Option<(PathBuf, File)>,
}

/// Takes the lock on `path`, a file that is there for this alone and made where it is not. `null`: somebody else holds
/// it, in this process or in another one; what the file says is whose number that process has.
#[napi]
pub fn lock_file(path: String) -> napi::Result<Option<NativeFileLock>> {
    let path = PathBuf::from(path);
    match take(&path) {
        Ok(Some(file)) => Ok(Some(NativeFileLock { held: Some((path, file)) })),
        Ok(None) => Ok(None),
        Err(error) => Err(napi::Error::from_reason(format!("{} cannot be locked: {error}", path.display()))),
    }
}

#[napi]
impl NativeFileLock {
    /// Lets go of it, and removes the file. Once; a lock that is collected is let go of, and its file stays.
    #[napi]
    pub fn release(&mut self) {
        if let Some((path, _file)) = self.held.take() {
            // While it is held: what another process makes of the path after that is its own.
            let _ = fs::remove_file(path);
        }
    }
}

fn take(path: &Path) -> io::Result<Option<File>> {
    for _ in 0..TURNS {
        let Some(mut file) = system::open(path)? else { return Ok(None) };
        // Whoever held it may have removed it between the two: then this is a lock on nothing.
        if system::is_at(&file, path) {
            // For whoever is refused it. On a full disk it is a lock all the same.
            let _ = file.set_len(0).and_then(|()| write!(file, "{}", std::process::id()));
            return Ok(Some(file));
        }
    }
    Ok(None)
}

#[cfg(unix)]
mod system {
    use std::fs::{self, File, OpenOptions};
    use std::io;
    use std::os::fd::AsRawFd;
    use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
    use std::path::Path;

    pub fn open(path: &Path) -> io::Result<Option<File>> {
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false).mode(0o644).custom_flags(libc::O_NOFOLLOW);
        let file = options.open(path)?;
        // SAFETY: the descriptor is open as long as `file` is.
        if unsafe { libc::flock(file.as_raw_fd(), libc::LOCK_EX | libc::LOCK_NB) } == 0 {
            return Ok(Some(file));
        }
        let error = io::Error::last_os_error();
        if error.kind() == io::ErrorKind::WouldBlock { Ok(None) } else { Err(error) }
    }

    pub fn is_at(file: &File, path: &Path) -> bool {
        let identity = |metadata: fs::Metadata| (metadata.dev(), metadata.ino());
        let (Ok(of_file), Ok(at_path)) = (file.metadata(), fs::symlink_metadata(path)) else { return false };
        identity(of_file) == identity(at_path)
    }
}

#[cfg(windows)]
mod system {
    use std::fs::{File, OpenOptions};
    use std::io;
    use std::os::windows::fs::OpenOptionsExt;
    use std::path::Path;

    const GENERIC_READ_WRITE: u32 = 0xC000_0000;
    const DELETE: u32 = 0x0001_0000;
    const FILE_FLAG_DELETE_ON_CLOSE: u32 = 0x0400_0000;
    const ERROR_SHARING_VIOLATION: i32 = 32;

    /// Shared with nobody: that is the lock.
    pub fn open(path: &Path) -> io::Result<Option<File>> {
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        options.access_mode(GENERIC_READ_WRITE | DELETE).share_mode(0).custom_flags(FILE_FLAG_DELETE_ON_CLOSE);
        match options.open(path) {
            Ok(file) => Ok(Some(file)),
            Err(error) if error.raw_os_error() == Some(ERROR_SHARING_VIOLATION) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Nobody can have removed it.
    pub fn is_at(_: &File, _: &Path) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_at_a_time_holds_it_and_what_is_left_of_one_that_died_is_in_nobodys_way() {
        let path = std::env::temp_dir().join(format!("unreset-lock-{}", std::process::id()));
        fs::write(&path, "left behind by a process that was killed").unwrap();
        let file = take(&path).unwrap().expect("nobody holds it");
        assert!(take(&path).unwrap().is_none());
        drop(file);
        let mut lock = NativeFileLock { held: take(&path).unwrap().map(|file| (path.clone(), file)) };
        assert_eq!(fs::read_to_string(&path).unwrap(), std::process::id().to_string());
        lock.release();
        assert!(!path.exists());
        assert!(take(&path).unwrap().is_some());
        fs::remove_file(&path).unwrap();
    }

    #[cfg(unix)]
    #[test]
    fn a_lock_on_a_file_that_was_removed_is_none() {
        let path = std::env::temp_dir().join(format!("unreset-removed-lock-{}", std::process::id()));
        let removed = system::open(&path).unwrap().unwrap();
        fs::remove_file(&path).unwrap();
        assert!(!system::is_at(&removed, &path));
        assert!(take(&path).unwrap().is_some());
        fs::remove_file(&path).unwrap();
    }
}
