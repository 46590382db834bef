//! The client's errors, by what can be done about them.

use lapin::{Error, ErrorKind, protocol::AMQPErrorKind};

use crate::port::BrokerError;

/// The AMQP reply code, where the broker gave one.
pub(super) fn reply_code(error: &Error) -> Option<u16> {
    match error.kind() {
        ErrorKind::ProtocolError(amqp) => Some(amqp.get_id()),
        _ => None,
    }
}

/// Whether it ended a channel and left the connection standing.
pub(super) fn is_channel_error(error: &Error) -> bool {
    error.is_amqp_soft_error()
}

pub(super) fn broker_error(error: &Error) -> BrokerError {
    let ErrorKind::ProtocolError(amqp) = error.kind() else {
        return BrokerError::Link(error.to_string());
    };
    let message = amqp.get_message().to_string();
    match (amqp.kind(), amqp.get_id()) {
        (_, 403 | 530) => BrokerError::Denied(message),
        (AMQPErrorKind::Soft(_), 404) => BrokerError::Missing(message),
        (AMQPErrorKind::Soft(_), 406) => BrokerError::Differs(message),
        _ => BrokerError::Link(message),
    }
}
