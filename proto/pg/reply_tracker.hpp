// proto/pg/reply_tracker.hpp: the queue of replies that one PostgreSQL backend owes, and whose
// each of its messages is.
//
// Every message that the server will answer is entered when it is sent, in order, with its owner:
// a client, or nobody for the gateway's own (their answers are swallowed). Every message that
// comes back is matched with the head. A reply that the gateway makes itself (a Parse that the
// backend need not see) waits as a *fake* entry for its turn.
//
// Facts (PostgreSQL documentation, "Message Flow"): an error in the extended protocol makes the
// server ignore everything up to the next Sync; in copy-in mode it ignores Sync and Flush, and any
// other message but CopyData, CopyDone, CopyFail ends the copy with an error and is used up;
// outside of it late copy messages are ignored.
//
// Layer: proto. Pure; allocates only when more replies are owed than ever before.
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>

#include "proto/core/ring.hpp"

namespace sluice::pg {

enum class owed_kind : std::uint8_t {
    query,               // Query, FunctionCall: ends with ReadyForQuery
    parse,               // ParseComplete
    bind,                // BindComplete
    describe_statement,  // ParameterDescription, then RowDescription or NoData
    describe_portal,     // RowDescription or NoData
    execute,             // CommandComplete, EmptyQueryResponse or PortalSuspended
    close,               // CloseComplete
    sync,                // ReadyForQuery
    copy_end,            // no reply: marks where the client ended its copy
};

struct owed {
    void* owner = nullptr;  // null: the gateway's own
    std::uint64_t tag = 0;  // the sender's; for parse the id of the statement
    owed_kind kind = owed_kind::query;
    bool fake = false;  // nothing was sent: the gateway answers when its turn comes
    bool held = false;  // ... together with the next message, as the server would have sent it
};

class reply_tracker {
public:
    // To be called for every message sent, in order. False: the server will ignore it (it skips to
    // the next Sync, or copies), so no reply is owed.
    bool sent(const owed& entry);

    struct verdict {
        void* owner = nullptr;      // whose message it is; null: swallow
        std::optional<owed> ended;  // the entry whose reply this message completes
        bool unexpected = false;    // the protocol does not allow it here: give the backend up
    };
    // For every message but ErrorResponse and ReadyForQuery that the server sends.
    verdict on_message(char type);
    // ReadyForQuery with its status byte.
    verdict on_ready(char status);
    // ErrorResponse. `dropped` hears of every entry that will have no reply because of it.
    template <class F>
    verdict on_error(F&& dropped)
    {
        const verdict answer = begin_error();
        if (owed_.empty() || owed_.front().kind == owed_kind::sync ||
            owed_.front().kind == owed_kind::query)
            return answer;
        // Of the extended protocol: the server ignores even a Query before the next Sync.
        while (!owed_.empty() && owed_.front().kind != owed_kind::sync) {
            dropped(owed_.front());
            pop();
        }
        skipping_ = owed_.empty();
        return answer;
    }

    // A fake entry whose turn has come; call until it is empty after each of the above.
    std::optional<owed> take_fake();

    // Fake entries are held no longer: their owner asked for all that there is (Flush).
    void release_held() noexcept;

    // Forgets an owner that has gone: its replies are swallowed.
    void disown(const void* owner) noexcept;
    // Replies of `owner` that end with ReadyForQuery and are still owed.
    std::size_t ready_owed(const void* owner) const noexcept;

    bool empty() const noexcept { return owed_.empty(); }
    std::size_t size() const noexcept { return owed_.size(); }
    void* head_owner() const noexcept { return empty() ? nullptr : owed_.front().owner; }
    const owed* head_entry() const noexcept { return empty() ? nullptr : &owed_.front(); }
    template <class F>
    void for_each(F&& visit) const
    {
        for (std::size_t i = 0; i < owed_.size(); ++i)
            visit(owed_[i]);
    }
    bool copying_in() const noexcept { return copy_in_; }
    bool skipping() const noexcept { return skipping_; }
    // 'I' idle, 'T' in a transaction, 'E' in a failed one; as of the last ReadyForQuery.
    char status() const noexcept { return status_; }
    // Nothing is owed and the server waits for a new request.
    bool idle() const noexcept { return owed_.empty() && !copy_in_ && !skipping_; }

private:
    void pop() noexcept;
    void drop_markers() noexcept;
    verdict begin_error();
    void begin_copy_in();
    verdict complete(std::initializer_list<owed_kind> kinds);

    ring<owed> owed_;
    char status_ = 'I';
    bool copy_in_ = false;
    bool skipping_ = false;
};

}  // namespace sluice::pg
