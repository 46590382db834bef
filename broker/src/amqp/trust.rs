//! Whom the link trusts, and why it does not.

use std::{error::Error, io, path::Path};

use lapin::{ErrorKind, uri::AMQPAuthority};
use rustls::{
    CertificateError,
    pki_types::{CertificateDer, pem::PemObject},
};

use crate::port::BrokerError;

/// A file of certificates in PEM. It has one at least: the client passes over what is none.
pub(super) fn authorities(path: &Path) -> Result<String, BrokerError> {
    let problem = |problem: String| {
        BrokerError::Config(format!("broker.tls_ca: {}: {problem}", path.display()))
    };
    let text = std::fs::read_to_string(path).map_err(|error| problem(error.to_string()))?;
    let certificates = CertificateDer::pem_slice_iter(text.as_bytes());
    match certificates.collect::<Result<Vec<_>, _>>() {
        Ok(certificates) if certificates.is_empty() => {
            Err(problem("has no certificate in PEM, `-----BEGIN CERTIFICATE-----`".to_owned()))
        }
        Ok(_) => Ok(text),
        Err(error) => Err(problem(format!("does not read as PEM: {error}"))),
    }
}

/// What waiting cannot mend about TLS, in the words of the configuration. `own` tells whether it
/// names authorities of its own.
pub(super) fn untrusted(
    error: &lapin::Error,
    at: &AMQPAuthority,
    own: bool,
) -> Option<BrokerError> {
    let ErrorKind::IOError(error) = error.kind() else { return None };
    let AMQPAuthority { host, port, .. } = at;
    let certificate = format!("the certificate of the broker at {host}:{port}");
    let problem = match tls_error(&**error)? {
        rustls::Error::InvalidCertificate(
            // another authority of the same name has another key
            problem @ (CertificateError::UnknownIssuer | CertificateError::BadSignature),
        ) => format!(
            "broker.tls_ca: {certificate} is signed by no authority in {} ({problem}); name the \
             file of the one that signed it",
            if own { "this file nor by one of the system's" } else { "the system's store" },
        ),
        rustls::Error::InvalidCertificate(
            problem @ (CertificateError::NotValidForName
            | CertificateError::NotValidForNameContext { .. }),
        ) => format!("broker.url: {certificate} is for another host: {problem}"),
        rustls::Error::InvalidCertificate(problem) => {
            format!("{certificate} cannot be trusted: {problem}")
        }
        rustls::Error::InvalidMessage(_) => format!(
            "broker.url: what answers at {host}:{port} does not speak TLS; use amqp://, or the port \
             for TLS, usually 5671"
        ),
        _ => return None,
    };
    Some(BrokerError::Config(problem))
}

fn tls_error<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a rustls::Error> {
    if let Some(found) = error.downcast_ref() {
        return Some(found);
    }
    // what it holds does not count among its sources
    match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
        Some(held) => tls_error(held),
        None => tls_error(error.source()?),
    }
}
