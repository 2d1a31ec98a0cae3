// gateway/relay/pg_link_time.cpp: how long the server has been at something, and ending it.
#include "gateway/relay/multiplexer.hpp"
#include "gateway/relay/pg_link.hpp"
#include "proto/pg/frame.hpp"

namespace sluice::gateway {

using pg::owed_kind;

// Before something is entered that the server will answer.
void pg_link::note_begin() noexcept
{
    if (!tracker_.idle())
        return;
    busy_since_ = poller_time();
    if (status() == 'I')
        transaction_since_ = busy_since_;
}

// The server is ready for what comes next, which may have been sent already.
void pg_link::note_ready() noexcept
{
    busy_since_ = poller_time();
    if (status() == 'I')
        transaction_since_ = busy_since_;
}

void pg_link::cancel_for_time(std::string error, bool between_messages, std::function<void()> done)
{
    cancel_error_ = std::move(error);
    if (tracker_.copying_in() && between_messages) {
        // The server waits for its client's data and looks at no signal before some comes.
        byte_queue& out = stream_.unsent();
        out.append_byte('f');
        out.append_be<std::uint32_t>(static_cast<std::uint32_t>(pg::length_size + 1));
        out.append_cstring("");
        expect(owed_kind::copy_end);
        flush();
        if (done)
            done();
        return;
    }
    cancel(std::move(done));
}

void pg_link::time_out_shared(std::string error)
{
    hand_back(1);
    cancel_error_ = std::move(error);
    cancel({});
}

// True: the client was told what the gateway has to say of it.
bool pg_link::tell_time_out(link_client& client, std::string_view sqlstate)
{
    if (cancel_error_.empty() || sqlstate != "57014")
        return false;
    client.on_time_out();
    if (!sharing())
        (void)client.on_server_error(as_bytes(cancel_error_));
    deliver(range_);
    replied_ = error_told_ = true;
    range_owner_ = static_cast<void*>(&client);
    deliver(as_bytes(cancel_error_));
    return true;
}

void pg_link::roll_back()
{
    run_internal(internal::rollback, "ROLLBACK");
    flush();
}

void pg_link::open_transaction(bool failed)
{
    run_internal(internal::open, "BEGIN");
    if (failed)
        run_internal(internal::open,
                     "SELECT 'sluice ended this transaction, as it told its client'::int4");
}

}  // namespace sluice::gateway
