//! Calls of tools in a stream, one after the other.
use super::super::super::answer::Called;
use super::Writer;
use super::call::Call;
use super::open::Open;
use crate::providers::chat;

impl Writer {
    /// A call begins. Other than calls nothing grows beside it.
    pub(super) fn call(&mut self, tool: u32, id: String, name: String, out: &mut Vec<u8>) {
        if !matches!(self.open, Open::Call(_)) {
            self.close("completed", out);
        }
        self.calls.push(tool, id, name);
        self.go_on(out);
    }

    /// More arguments of a call.
    pub(super) fn arguments(&mut self, tool: u32, json: &str, out: &mut Vec<u8>) {
        self.calls.more(tool, json);
        self.go_on(out);
    }

    /// Ends the call that grows, and those that wait.
    pub(super) fn end_calls(&mut self, call: Call, status: &str, out: &mut Vec<u8>) {
        self.end_call(call, status, out);
        while self.calls.first().is_some() {
            self.tell_call(out);
            if let Open::Call(call) = std::mem::take(&mut self.open) {
                self.end_call(call, status, out);
            }
        }
    }

    /// Tells what can be told of the calls now.
    fn go_on(&mut self, out: &mut Vec<u8>) {
        self.tell_call(out);
        while self.calls.is_first_over() {
            if let Open::Call(call) = std::mem::take(&mut self.open) {
                self.end_call(call, "completed", out);
            }
            self.tell_call(out);
        }
    }

    /// Tells what is known of the first call.
    fn tell_call(&mut self, out: &mut Vec<u8>) {
        let Some(first) = self.calls.first() else { return };
        let chat::Call { id, name, json, is_open, .. } = first;
        let json = std::mem::take(json);
        if !std::mem::replace(is_open, true) {
            let (id, name) = (std::mem::take(id), std::mem::take(name));
            let tool = Called::of(&self.client, name);
            let item = self.item(tool.prefix());
            self.open = Open::Call(Call::new(item, id, tool, &mut self.lines, out));
        }
        if let Open::Call(call) = &mut self.open {
            call.more(&json, &mut self.lines, out);
        }
    }

    fn end_call(&mut self, call: Call, status: &str, out: &mut Vec<u8>) {
        self.calls.pop();
        let (index, item) = call.end(status, &mut self.lines, out);
        self.done(index, &item, out);
    }
}
