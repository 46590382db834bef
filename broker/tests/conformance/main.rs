//! One suite over every engine of the port, and what each engine promises besides.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test may panic"
)]

mod amqp;
mod embedded;
mod embedded_faults;
mod embedded_process;
mod engines;
mod port;

use engines::{AmqpEngine, EmbeddedEngine};

macro_rules! every_engine {
    ($($test:ident,)+) => {
        mod port_over_amqp {
            $(#[tokio::test]
            async fn $test() {
                crate::port::$test(&crate::AmqpEngine::fresh().await).await;
            })+
        }
        mod port_over_embedded {
            $(#[tokio::test]
            async fn $test() {
                crate::port::$test(&crate::EmbeddedEngine::fresh().await).await;
            })+
        }
    };
}

every_engine! {
    published_is_delivered_with_its_properties_and_acked_once,
    prefetch_bounds_what_is_unsettled,
    what_is_unsettled_comes_again_and_is_counted,
    what_reaches_no_queue_is_an_error_where_it_must_arrive,
    a_return_is_told_to_the_publish_that_it_belongs_to,
    delayed_messages_arrive_when_asked,
    control_reaches_every_subscriber,
    a_queue_for_answers_goes_with_its_link,
    a_stopped_consumer_leaves_the_rest_to_others,
    pulled_messages_come_back_until_they_are_acked,
    verifying_names_what_is_missing_and_what_differs,
    what_the_broker_moved_says_where_it_comes_from,
}
