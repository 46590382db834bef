use std::sync::Arc;

use rustls::{
    ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme,
    client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    crypto::{CryptoProvider, aws_lc_rs, verify_tls12_signature, verify_tls13_signature},
    pki_types::{CertificateDer, ServerName, UnixTime, pem::PemObject as _},
};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::error::StoreError;

/// `verify`: whether the server must have a certificate in its name, signed by one of the roots:
/// those in the given file, else the system's.
pub(super) fn connector(
    verify: bool,
    roots: Option<&str>,
) -> Result<MakeRustlsConnect, StoreError> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()
        .map_err(|error| StoreError::Config(format!("TLS cannot be used: {error}")))?;
    if !verify {
        let builder = builder.dangerous();
        let config = builder.with_custom_certificate_verifier(Arc::new(Anybody(provider)));
        return Ok(MakeRustlsConnect::new(config.with_no_client_auth()));
    }
    let Some(file) = roots else { return native() };
    let unreadable = |problem: &dyn std::fmt::Display| {
        StoreError::Config(format!("sslrootcert={file} in store.url cannot be used: {problem}"))
    };
    let mut store = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(file).map_err(|error| unreadable(&error))? {
        let certificate = certificate.map_err(|error| unreadable(&error))?;
        store.add(certificate).map_err(|error| unreadable(&error))?;
    }
    if store.is_empty() {
        return Err(unreadable(&"it has no certificate in PEM"));
    }
    let config = builder.with_root_certificates(store).with_no_client_auth();
    Ok(MakeRustlsConnect::new(config))
}

fn native() -> Result<MakeRustlsConnect, StoreError> {
    // the crate asks for the process's own; that there is one already is fine
    let _ = aws_lc_rs::default_provider().install_default();
    MakeRustlsConnect::with_native_certs().map(|(connector, _)| connector).map_err(|errors| {
        let why = errors.first().map_or_else(|| "there are none".to_owned(), ToString::to_string);
        StoreError::Config(format!(
            "sslmode=verify-full needs the system's certificates, and {why}; name a file with \
             sslrootcert in store.url"
        ))
    })
}

/// Encrypts with whoever answers, as `sslmode=require` says.
#[derive(Debug)]
struct Anybody(Arc<CryptoProvider>);

impl ServerCertVerifier for Anybody {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signature, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
