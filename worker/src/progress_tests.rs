use super::*;

type Told = Arc<Mutex<Vec<(u128, u32, u64)>>>;

/// What is told, by milliseconds, attempt and count.
fn reporter() -> (Reporter, Told) {
    let told = Told::default();
    let (kept, start) = (told.clone(), Instant::now());
    let tell = move |report: Report| {
        let told = (start.elapsed().as_millis(), report.attempt, report.done);
        kept.lock().unwrap().push(told);
    };
    (Reporter::new(tell), told)
}

async fn wait(millis: u64) {
    tokio::time::sleep(Duration::from_millis(millis)).await;
}

#[tokio::test(start_paused = true)]
async fn the_first_the_last_and_one_each_half_second() {
    let (reporter, told) = reporter();
    let progress = reporter.begin(1);
    for done in 1..=3 {
        progress.report(done, 9, "");
        wait(100).await;
    }
    wait(1_700).await;
    progress.report(4, 9, "");
    progress.report(5, 9, "");
    reporter.end();
    progress.report(6, 9, "");
    let expected = vec![(0, 1, 1), (500, 1, 3), (2_000, 1, 4), (2_000, 1, 5)];
    assert_eq!(*told.lock().unwrap(), expected);

    // the pace is the job's: another attempt does not start it anew
    let again = reporter.begin(2);
    progress.report(7, 9, "");
    again.report(1, 9, "");
    again.report(2, 9, "");
    wait(10_000).await;
    reporter.end();
    assert_eq!(told.lock().unwrap().split_off(4), [(2_500, 2, 2)]);
}

#[tokio::test(start_paused = true)]
async fn a_handler_cannot_flood() {
    let (reporter, told) = reporter();
    let progress = reporter.begin(1);
    for done in 1..=10_000 {
        progress.report(done, 10_000, "");
        wait(1).await;
    }
    reporter.end();
    let told = told.lock().unwrap();
    assert!((15..=22).contains(&told.len()), "{told:?}");
    assert_eq!(told.last().unwrap().2, 10_000);
    let early = told.windows(2).rev().skip(1).find(|pair| pair[1].0 - pair[0].0 < 500);
    assert_eq!(early, None);
}

#[tokio::test]
async fn any_thread_reports_and_to_nobody_too() {
    let (reporter, told) = reporter();
    let progress = reporter.begin(1);
    let thread = std::thread::spawn(move || {
        Progress::default().report(1, 1, "");
        Reporter::default().begin(1).report(1, 1, "");
        progress.report(1, 2, "");
        progress.report(2, 2, "");
    });
    thread.join().unwrap();
    Reporter::default().end();
    reporter.end();
    let counts: Vec<_> = told.lock().unwrap().iter().map(|(_, _, done)| *done).collect();
    assert_eq!(counts, [1, 2]);
}
