//! Folders that the program makes below one that was named: where somebody else has put links there,
//! they are not followed.

use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error;

/// Something that is in the way of a folder of ours.
#[derive(Debug, Error)]
#[error("{} is a link or no folder, where a folder of respike's should be; remove it, or choose another --out", .0.display())]
pub struct NotOurFolder(pub PathBuf);

/// Refuses a path below `root` of which any part below it is there and is no folder of its own.
///
/// # Errors
/// [`NotOurFolder`] names the first such part. What cannot be looked at is left to whoever uses it.
pub fn check_own_folder(root: &Path, below: &Path) -> Result<(), NotOurFolder> {
    let mut part = root.to_path_buf();
    for name in below {
        part.push(name);
        match part.symlink_metadata() {
            Ok(there) if !there.is_dir() => return Err(NotOurFolder(part)),
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => break,
            Err(_) => {}
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_on_the_way_is_named_and_the_root_may_be_one() {
        let folder = tempfile::tempdir().expect("a folder");
        let (root, below) = (folder.path().join("root"), Path::new("cells/strict"));
        std::fs::create_dir_all(root.join("cells")).expect("writable");
        check_own_folder(&root, below).expect("not there yet");
        std::fs::write(root.join("cells/strict"), "").expect("writable");
        let file = check_own_folder(&root, below).expect_err("a file");
        assert_eq!(file.0, root.join("cells/strict"));
        #[cfg(unix)]
        {
            let link = folder.path().join("link");
            std::os::unix::fs::symlink(&root, &link).expect("writable");
            check_own_folder(&link, Path::new("cells")).expect("only what is below counts");
            let there = check_own_folder(folder.path(), Path::new("link/cells"));
            assert_eq!(there.expect_err("a link").0, link);
        }
    }
}
