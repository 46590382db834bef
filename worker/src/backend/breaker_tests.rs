use super::*;

const OPEN_FOR: Duration = Duration::from_secs(5);

fn breaker() -> Breaker {
    let config = BreakerConfig { failure_ratio: 0.5, window: 4, open_for: OPEN_FOR };
    Breaker::new(config, IntGauge::new("state", "state").unwrap())
}

fn call(breaker: &Breaker, health: Health) {
    breaker.admit().unwrap().settle(health);
}

fn opened() -> Breaker {
    let breaker = breaker();
    for _ in 0..4 {
        call(&breaker, Health::Bad);
    }
    assert_eq!(breaker.gauge.get(), 2);
    breaker
}

#[tokio::test(start_paused = true)]
async fn opens_at_the_share_of_the_last_calls() {
    let breaker = breaker();
    for (health, state) in [
        (Health::Bad, 0),
        (Health::Good, 0),
        (Health::Good, 0),
        // one of four
        (Health::Good, 0),
        // the failure has left the window
        (Health::Bad, 0),
        (Health::Unknown, 0),
        (Health::Bad, 2),
    ] {
        call(&breaker, health);
        assert_eq!(breaker.gauge.get(), state);
    }
    assert_eq!(breaker.admit().unwrap_err(), OPEN_FOR);
    tokio::time::advance(OPEN_FOR / 5 * 4).await;
    assert_eq!(breaker.admit().unwrap_err(), OPEN_FOR / 5);
}

#[tokio::test(start_paused = true)]
async fn lets_a_few_probes_through_and_closes() {
    let breaker = opened();
    tokio::time::advance(OPEN_FOR).await;
    let probes: Vec<_> = (0..PROBES).map(|_| breaker.admit().unwrap()).collect();
    assert_eq!(breaker.gauge.get(), 1);
    assert!(breaker.admit().is_err());
    for probe in probes {
        probe.settle(Health::Good);
    }
    assert_eq!(breaker.gauge.get(), 0);
    call(&breaker, Health::Bad);
    assert_eq!(breaker.gauge.get(), 0, "the window starts anew");
}

#[tokio::test(start_paused = true)]
async fn a_failing_probe_opens_again() {
    let breaker = opened();
    tokio::time::advance(OPEN_FOR).await;
    let late = breaker.admit().unwrap();
    call(&breaker, Health::Bad);
    assert_eq!(breaker.gauge.get(), 2);
    tokio::time::advance(OPEN_FOR).await;
    // a call of the phase before says nothing about this one
    let probe = breaker.admit().unwrap();
    late.settle(Health::Bad);
    assert_eq!(breaker.gauge.get(), 1);
    probe.settle(Health::Good);
    assert_eq!(breaker.gauge.get(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_cancelled_probe_gives_its_place_back() {
    let breaker = opened();
    tokio::time::advance(OPEN_FOR).await;
    for _ in 0..10 {
        let probes: Vec<_> = (0..PROBES).map(|_| breaker.admit().unwrap()).collect();
        assert!(breaker.admit().is_err());
        drop(probes);
    }
    assert_eq!(breaker.gauge.get(), 1);
}
