#include "harness/recorder/event_writer.hpp"

namespace harness {
namespace {

template <class Number>
std::optional<std::int64_t> widen(const std::optional<Number>& number) {
    return number ? std::optional<std::int64_t>(*number) : std::nullopt;
}

/// 0 stands for "did not happen", or for "no connection".
std::optional<std::int64_t> unless_zero(std::int64_t number) {
    return number == 0 ? std::nullopt : std::optional(number);
}

}  // namespace

EventWriter::EventWriter(Database& database, IdsBefore before)
    : before_(before),
      edge_(database, "insert into edges(at_ns, line, level, source, seqno) values(?,?,?,?,?)"),
      press_(database,
             "insert into presses(id, line, before_ns, after_ns, profile) values(?,?,?,?,?)"),
      press_released_(database, "update presses set released_ns = ? where id = ?"),
      connection_(database,
                  "insert into connections(id, opened_ns, peer, local, secure) values(?,?,?,?,?)"),
      handshake_(database, "insert into handshakes(connection_id, at_ns, failure) values(?,?,?)"),
      connection_secured_(database,
                          "update connections set tls_version = ?, cipher = ?, handshake_ns = ?, "
                          "offered = ? where id = ?"),
      connection_closed_(database,
                         "update connections set closed_ns = ?, end_reason = ?, ignored_bytes = ? "
                         "where id = ?"),
      frame_(database,
             "insert into frames(id, received_ns, connection_id, verdict, device, register, value, "
             "raw, reason, stamp, reply, replied_ns) "
             "values(?,?,?,?,?,?,?,?,?,?,?,?)"),
      reply_(database, "update frames set reply = ?, replied_ns = ? where id = ?"),
      console_(database, "insert into console(at_ns, text) values(?,?)"),
      target_(database, "insert into target(at_ns, what, is_running) values(?,?,?)"),
      fault_(database, "insert into faults(at_ns, connection_id, name) values(?,?,?)"),
      note_(database, "insert into notes(at_ns, is_error, what) values(?,?,?)"),
      test_(database, "insert into tests(nodeid, began_ns) values(?,?)"),
      test_ended_(database,
                  "update tests set ended_ns = ?, outcome = ? where rowid = "
                  "(select max(rowid) from tests where nodeid = ? and ended_ns is null)") {}

void EventWriter::write(std::span<const Event> events) {
    waiting_.clear();  // a batch that failed half-way may have left some
    for (const Event& event : events) {
        std::visit([this](const auto& each) { write_row(each); }, event);
    }
    write_waiting();
}

EventWriter::WaitingFrame* EventWriter::waiting(FrameId id) {
    // The server numbers frames in the order in which it hands them over, so the place is known.
    const FrameId place = waiting_.empty() ? -1 : id - waiting_.front().frame->id;
    if (place < 0 || place >= static_cast<FrameId>(waiting_.size())) {
        return nullptr;
    }
    WaitingFrame& found = waiting_[static_cast<std::size_t>(place)];
    return found.frame->id == id ? &found : nullptr;
}

void EventWriter::write_waiting() {
    for (const auto& [frame, reply] : waiting_) {
        frame_.bind(before_.frame + frame->id)
            .bind(frame->received_ns)
            .bind(before_.connection + frame->connection_id)
            .bind_text(to_string(frame->verdict))
            .bind(widen(frame->device))
            .bind(widen(frame->reg))
            .bind(widen(frame->value))
            .bind_blob(frame->raw)
            .bind_text_or_null(frame->reason)
            .bind_text(to_string(frame->stamp));
        if (reply != nullptr) {
            frame_.bind_blob(reply->reply).bind(reply->replied_ns);
        } else {
            frame_.bind(std::nullopt).bind(std::nullopt);
        }
        frame_.run();
    }
    waiting_.clear();
}

void EventWriter::write_row(const EdgeSeen& event) {
    edge_.bind(event.at_ns)
        .bind_text(event.line)
        .bind(event.level == rig::Level::high ? 1 : 0)
        .bind_text(to_string(event.source))
        .bind(static_cast<std::int64_t>(event.seqno))
        .run();
}

void EventWriter::write_row(const PressAsserted& event) {
    press_.bind(before_.press + event.id)
        .bind_text(event.line)
        .bind(event.before_ns)
        .bind(event.after_ns)
        .bind_text(event.profile)
        .run();
}

void EventWriter::write_row(const PressReleased& event) {
    press_released_.bind(event.released_ns).bind(before_.press + event.id).run();
}

void EventWriter::write_row(const ConnectionOpened& event) {
    connection_.bind(before_.connection + event.id)
        .bind(event.at_ns)
        .bind_text(event.peer)
        .bind_text(event.local)
        .bind(event.secure ? 1 : 0)
        .run();
}

void EventWriter::write_row(const HandshakeEnded& event) {
    handshake_.bind(before_.connection + event.id)
        .bind(event.at_ns)
        .bind_text_or_null(event.failure)
        .run();
    connection_secured_.bind_text_or_null(event.tls_version)
        .bind_text_or_null(event.cipher)
        .bind(event.handshake_ns)
        .bind_text_or_null(event.offered)
        .bind(before_.connection + event.id)
        .run();
}

void EventWriter::write_row(const FrameReceived& event) {
    waiting_.push_back({.frame = &event});
}

void EventWriter::write_row(const ReplySent& event) {
    if (WaitingFrame* const frame = waiting(event.frame_id)) {
        frame->reply = &event;
        return;
    }
    write_waiting();  // should its place be another than expected, the row must be there first
    reply_.bind_blob(event.reply).bind(event.replied_ns).bind(before_.frame + event.frame_id).run();
}

void EventWriter::write_row(const ConnectionClosed& event) {
    connection_closed_.bind(event.at_ns)
        .bind_text(event.end_reason)
        .bind(event.ignored_bytes)
        .bind(before_.connection + event.id)
        .run();
}

void EventWriter::write_row(const ConsoleLine& event) {
    console_.bind(event.at_ns).bind_text(event.text).run();
}

void EventWriter::write_row(const TargetChanged& event) {
    target_.bind(event.at_ns).bind_text(event.what).bind(event.is_running ? 1 : 0).run();
}

void EventWriter::write_row(const FaultFired& event) {
    std::optional<std::int64_t> connection = unless_zero(event.connection_id);
    if (connection) {
        *connection += before_.connection;
    }
    fault_.bind(event.at_ns).bind(connection).bind_text(event.name).run();
}

void EventWriter::write_row(const RigNote& event) {
    note_.bind(event.at_ns).bind(event.is_error ? 1 : 0).bind_text(event.what).run();
}

void EventWriter::write_row(const TestBegan& event) {
    test_.bind_text(event.nodeid).bind(event.at_ns).run();
}

void EventWriter::write_row(const TestEnded& event) {
    test_ended_.bind(event.at_ns).bind_text(event.outcome).bind_text(event.nodeid).run();
}

}  // namespace harness
