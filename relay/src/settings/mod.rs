//! The settings of a relay. `table` has one row for each of them. The struct with the values, the keys of the file, the
//! variables, the flags, the printed configuration, the reload, the documentation and the JSON Schema derive from the rows.

mod allowed_origins;
mod broker;
mod kinds;
mod listen;
mod log_format;
mod otlp_endpoint;
mod quote;
mod rate;
mod rates;
mod reload_effect;
mod schema;
mod setting;
mod suggestion;
mod table;
mod trace_ratio;
mod units;

pub use allowed_origins::AllowedOrigins;
pub use broker::{BrokerAddress, BrokerPrefix, NatsServer};
pub use listen::Listen;
pub use log_format::LogFormat;
pub use otlp_endpoint::OtlpEndpoint;
pub use rate::Rate;
pub use schema::schema;
pub use table::{Setting, Settings};
pub use trace_ratio::TraceRatio;

pub(crate) use kinds::OFF;
pub(crate) use quote::quotable;
pub(crate) use setting::key;
pub(crate) use suggestion::unknown;
pub(crate) use units::duration_text;
