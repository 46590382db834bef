use tokio::sync::OnceCell;

use super::Postgres;

impl Postgres {
    /// The server that all tests of one process share, started by the first that asks. It goes
    /// with the process. Tests keep apart by a [`database`](Self::database) each.
    ///
    /// # Errors
    /// As [`start`](Self::start).
    pub async fn shared() -> anyhow::Result<&'static Self> {
        static SHARED: OnceCell<Postgres> = OnceCell::const_new();
        SHARED.get_or_try_init(Self::start).await
    }
}
