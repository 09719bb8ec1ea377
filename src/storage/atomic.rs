use std::io::{self, Write};
use std::path::Path;

/// Writes a file so that it is either whole or not there: to a temporary file beside it, then
/// renamed.
///
/// # Errors
/// What the file system says; a file that was there before is then untouched.
pub fn write_whole(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let mut file = tempfile::Builder::new()
        .prefix(".respike-")
        .suffix(".part")
        .tempfile_in(folder)?;
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    put_in_place(file.into_temp_path(), path)
}

/// Gives a finished temporary file its name, and the permissions of any other output.
pub(crate) fn put_in_place(part: tempfile::TempPath, path: &Path) -> io::Result<()> {
    share_as_usual(&part)?;
    part.persist(path).map_err(|error| error.error)
}

/// Temporary files are private; what is left behind should be readable as any other output.
#[cfg(unix)]
fn share_as_usual(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o644))
}

#[cfg(not(unix))]
fn share_as_usual(_: &Path) -> io::Result<()> {
    Ok(())
}
