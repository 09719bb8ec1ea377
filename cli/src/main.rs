//! The program `respike`: see `respike --help`.

use std::process::ExitCode;

fn main() -> ExitCode {
    respike_cli::main()
}
