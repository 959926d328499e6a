//! SQS: at least once, in no order, invisible for a while once received.

use std::sync::Mutex;

use domain::ports::OrderKey;

use crate::world::{Fault, World};

/// The most messages of one batch.
const BATCH: usize = 4;

/// `SettleRetrySeconds`
const VISIBILITY_MILLIS: i64 = 60_000;

/// After so many receptions a message is a dead letter: the sweeper has its order.
const MOST_RECEPTIONS: u32 = 5;

/// A message.
#[derive(Debug, Clone)]
pub struct Message {
    /// Its id.
    pub id: usize,
    /// The order that it is about.
    pub order: OrderKey,
    visible_at: i64,
    receptions: u32,
}

/// The queue.
#[derive(Default)]
pub struct Queue {
    messages: Mutex<(usize, Vec<Message>)>,
}

impl Queue {
    /// Puts a message into the queue, or two of the same.
    pub fn send(&self, world: &World, order: OrderKey) {
        let copies = if world.strikes(Fault::Duplicate) { 2 } else { 1 };
        let mut state = self.messages.lock().unwrap();
        let (next, messages) = &mut *state;
        for _ in 0..copies {
            *next += 1;
            messages.push(Message { id: *next, order: order.clone(), visible_at: world.now(), receptions: 0 });
        }
    }

    /// Some visible messages, in no order. They are visible again later, unless they are deleted.
    pub fn receive(&self, world: &World) -> Vec<Message> {
        let mut state = self.messages.lock().unwrap();
        let messages = &mut state.1;
        messages.retain(|message| message.receptions < MOST_RECEPTIONS || message.visible_at > world.now());
        let mut received = Vec::new();
        while received.len() < BATCH {
            let visible: Vec<usize> = (0..messages.len()).filter(|n| messages[*n].visible_at <= world.now()).collect();
            if visible.is_empty() {
                break;
            }
            let place = world.pick(visible.len());
            if place > 0 {
                world.injected(Fault::Reordered);
            }
            let message = &mut messages[visible[place]];
            message.receptions += 1;
            message.visible_at = world.now() + VISIBILITY_MILLIS;
            received.push(message.clone());
            if world.strikes(Fault::Duplicate) {
                message.visible_at = world.now();
            }
            if world.chance(300) {
                break;
            }
        }
        received
    }

    /// The message was dealt with.
    pub fn delete(&self, id: usize) {
        self.messages.lock().unwrap().1.retain(|message| message.id != id);
    }

    /// Whether nothing is left in it.
    pub fn is_empty(&self) -> bool {
        self.messages.lock().unwrap().1.is_empty()
    }
}
