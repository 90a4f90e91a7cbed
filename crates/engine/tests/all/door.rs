//! The door: what is cheap runs at once, what is not is bounded.

use crate::rig::Rig;
use domain::{ContainerId, Guid};
use engine::{Cost, Door, Error};
use std::{
    pin::pin,
    sync::{Arc, Mutex, mpsc},
    task::{Context, Poll, Waker},
};

#[test]
fn a_full_lane_refuses_at_once_and_takes_work_again_when_a_place_is_free() {
    let rig = Rig::new();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    // One core: one place to work, and so many to wait.
    let door = Door::new(Arc::clone(&rig.engine), 1);
    runtime.block_on(async {
        let (release, released) = mpsc::channel::<()>();
        let mut first = pin!(door.run(Cost::Compute, move |_| {
            let _ = released.recv();
            Ok(1)
        }));
        let mut context = Context::from_waker(Waker::noop());
        assert!(matches!(first.as_mut().poll(&mut context), Poll::Pending));
        let mut waiting = Vec::new();
        let refused = loop {
            let mut next = Box::pin(door.run(Cost::Compute, |_| Ok(2)));
            match next.as_mut().poll(&mut context) {
                Poll::Pending => waiting.push(next),
                Poll::Ready(outcome) => break outcome,
            }
        };
        assert!(matches!(refused, Err(Error::Busy)));
        assert!(waiting.len() >= 100, "{} could wait", waiting.len());
        assert_eq!((door.lanes().compute, door.lanes().durable), ((1, waiting.len()), (0, 0)));
        // Another lane has its own places.
        assert!(matches!(door.run(Cost::Durable, |_| Ok(3)).await, Ok(3)));
        assert!(matches!(door.run(Cost::Cheap, |_| Ok(4)).await, Ok(4)));
        drop(waiting);
        release.send(()).unwrap();
        assert!(matches!(first.await, Ok(1)));
        assert!(matches!(door.run(Cost::Compute, |_| Ok(5)).await, Ok(5)));
    });
}

#[test]
fn work_whose_client_hung_up_keeps_its_place_until_it_is_done() {
    let rig = Rig::new();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let door = Door::new(Arc::clone(&rig.engine), 1);
    runtime.block_on(async {
        let (release, released) = mpsc::channel::<()>();
        let (begun, begins) = mpsc::channel::<()>();
        let mut context = Context::from_waker(Waker::noop());
        {
            let mut asked = pin!(door.run(Cost::Generation, move |_| {
                begun.send(()).unwrap();
                let _ = released.recv();
                Ok(())
            }));
            assert!(asked.as_mut().poll(&mut context).is_pending());
            begins.recv().unwrap();
        }
        // Its future is dropped, but the work goes on: the lane's only place to work is still taken.
        let mut next = Box::pin(door.run(Cost::Generation, |_| Ok(())));
        assert!(next.as_mut().poll(&mut context).is_pending());
        // Generation holds up nothing else.
        assert!(matches!(door.run(Cost::Compute, |_| Ok(1)).await, Ok(1)));
        release.send(()).unwrap();
        assert!(next.await.is_ok());
    });
}

#[test]
fn work_that_panics_fails_alone() {
    let rig = Rig::new();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let door = Door::new(Arc::clone(&rig.engine), 1);
    runtime.block_on(async {
        let outcome = door.run(Cost::Compute, |_| -> Result<(), Error> { panic!("on purpose") }).await;
        assert!(matches!(outcome, Err(Error::Broken(_))));
        assert!(matches!(door.run(Cost::Compute, |_| Ok(1)).await, Ok(1)));
    });
}

#[test]
fn what_waits_for_another_server_does_so_one_at_a_time() {
    let rig = Rig::new();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let door = Door::new(Arc::clone(&rig.engine), 4);
    runtime.block_on(async {
        let (release, released) = mpsc::channel::<()>();
        let (finished, order) = mpsc::channel();
        let second_finished = finished.clone();
        let mut first = pin!(door.run(Cost::Remote, move |_| {
            let _ = released.recv();
            let _ = finished.send("first");
            Ok(())
        }));
        let mut second = pin!(door.run(Cost::Remote, move |_| {
            let _ = second_finished.send("second");
            Ok(())
        }));
        let mut context = Context::from_waker(Waker::noop());
        assert!(matches!(first.as_mut().poll(&mut context), Poll::Pending));
        assert!(matches!(second.as_mut().poll(&mut context), Poll::Pending));
        assert!(matches!(door.run(Cost::Compute, |_| Ok(3)).await, Ok(3)));
        assert!(order.try_recv().is_err(), "neither has run");
        release.send(()).unwrap();
        first.await.unwrap();
        second.await.unwrap();
        assert_eq!(order.try_iter().collect::<Vec<_>>(), ["first", "second"]);
    });
}

#[test]
fn one_containers_slow_receivers_leave_room_for_those_of_others() {
    let rig = Rig::new();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let door = Door::new(Arc::clone(&rig.engine), 1);
    let [slow, other] = [1, 2].map(|number| ContainerId(Guid::from_u128(number)));
    runtime.block_on(async {
        let (free, waiting) = mpsc::channel::<()>();
        let waiting = Arc::new(Mutex::new(waiting));
        let mut context = Context::from_waker(Waker::noop());
        let mut asking = Vec::new();
        loop {
            let waiting = Arc::clone(&waiting);
            let mut next = Box::pin(door.run_for_receiver(slow, move |_| {
                let _freed = waiting.lock().unwrap().recv();
                Ok(())
            }));
            match next.as_mut().poll(&mut context) {
                Poll::Pending => asking.push(next),
                Poll::Ready(refused) => {
                    assert!(matches!(refused, Err(Error::Busy)));
                    break;
                }
            }
        }
        assert_eq!((asking.len(), door.lanes().receiver), (10, (2, 0)), "the others wait outside of the lane");
        assert!(matches!(door.run_for_receiver(other, |_| Ok(3)).await, Ok(3)));
        drop(free);
        for each in asking {
            each.await.unwrap();
        }
        assert!(matches!(door.run_for_receiver(slow, |_| Ok(4)).await, Ok(4)));
    });
}
