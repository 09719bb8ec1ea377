//! respike
#![forbid(unsafe_code)]

#[cfg(feature = "cli")]
pub mod cli;
pub mod continual;
pub mod dataset;
pub mod ids;
mod kernels;
pub mod network;
pub mod random;
pub mod replay;
pub mod report;
pub mod spikes;
pub mod storage;
pub mod train;
