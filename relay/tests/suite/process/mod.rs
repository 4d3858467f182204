//! The built relay as a process of its own, over loopback, spoken to by clients that know nothing of its code.

mod audit;
mod behind_caddy;
mod bystanders;
mod churn;
mod command_line;
mod dependencies;
mod drain;
mod frames;
mod hello;
mod http;
mod lifetime;
mod limits;
mod memory;
mod observation;
mod openapi;
mod publishing;
mod refusals;
mod reload;
mod replay;
mod revocation;
mod sessions;
mod shipped;
mod slow;
mod startup;
mod streamed;
mod streamed_abuse;
