// proto/mysql/reply_tracker.hpp: the queue of replies that one MySQL backend owes, whose each of
// its packets is, and where a reply ends.
//
// Every command that is sent is entered, in order, with its owner: a client, or nobody for the
// gateway's own (their answers are swallowed). Every packet that comes back is matched with the
// head. A reply that the gateway makes itself waits as a *fake* entry for its turn.
//
//   query, execute  := result (result)*              the next one while status says more_results
//   result          := OK | ERR | LOCAL INFILE (the client sends) OK | ERR
//                    | count column* [EOF] row* (end | ERR)       [EOF]: without DEPRECATE_EOF
//                    | count column* end             status says cursor_exists: rows are fetched
//   prepare         := prepare-OK parameter* [EOF] column* [EOF] | ERR     no EOF behind nothing
//   fetch           := row* (end | ERR)
//   field list      := column* (end | ERR)
//   statistics      := text
//   long data, close, quit := nothing
//   any other       := OK | ERR | EOF
//   end             := EOF, or with DEPRECATE_EOF an OK that begins with 0xfe
//
// ERR carries no status: what it did to the transaction is known with the next OK.
//
// Layer: proto. Pure; allocates only when more replies are owed than ever before.
#pragma once

#include <optional>

#include "proto/core/ring.hpp"
#include "proto/mysql/messages.hpp"

namespace sluice::mysql {

struct owed {
    void* owner = nullptr;  // null: the gateway's own
    std::uint64_t tag = 0;  // the sender's
    command what = command::query;
    std::uint8_t sequence = 1;  // of the reply's first packet: it goes on where the command ended
    bool fake = false;          // nothing was sent: the gateway answers when its turn comes
};

// COM_STMT_SEND_LONG_DATA, COM_STMT_CLOSE and COM_QUIT have no reply.
constexpr bool has_reply(command what) noexcept
{
    return what != command::stmt_send_long_data && what != command::stmt_close &&
           what != command::quit;
}

enum class packet_kind : std::uint8_t {
    ok,
    error,
    end,  // of rows, or of columns when a cursor was opened
    column_count,
    column,       // the definition of a column or parameter
    columns_end,  // EOF behind definitions
    row,
    prepare_ok,
    local_infile,  // now the client sends: see uploading()
    text,          // COM_STATISTICS
    continuation,  // of a message of 16 MiB and more: belongs to what came before it
};

class reply_tracker {
public:
    // Packets that are looked into must be whole in memory; none of them is longer than this.
    static constexpr std::size_t whole_max = 1u << 20;

    // `capabilities`: what the connection's two sides both announced.
    explicit reply_tracker(std::uint32_t capabilities = 0) noexcept : capabilities_(capabilities) {}

    // To be called for every command sent, in order. False: it has no reply, nothing is owed.
    bool sent(const owed& entry);
    // For every packet but the first of the command that was entered last (16 MiB and more).
    void on_continuation_sent(packet_header header) noexcept;

    struct verdict {
        packet_kind kind = packet_kind::row;
        bool ended = false;         // the reply is complete: ended() is its entry
        bool group_end = false;     // the last definition of its kind (column, parameter)
        bool unexpected = false;    // the protocol does not allow it here: give the backend up
        std::uint32_t missing = 0;  // > 0: nothing was decided, ask again with this many bytes more
        void* owner = nullptr;      // whose packet it is; null: swallow
    };
    // For every packet that the server sends: its header, and of its payload what has arrived. Once
    // `missing` is zero the packet counts as seen, whether or not the rest of it is there. A packet
    // that ends a reply, and any ok, error, end, column_count, prepare_ok, local_infile is whole.
    verdict on_packet(packet_header header, bytes_view there) noexcept;

    // The entry of the reply that the last packet ended.
    const owed& ended() const noexcept { return ended_; }

    // --- LOAD DATA LOCAL: the client sends packets up to an empty one, the server then goes on.
    bool uploading() const noexcept { return state_ == state::upload; }
    // For every packet that is sent meanwhile.
    void on_upload(packet_header header) noexcept;

    // --- What the server said last.
    // Of the last ok, end or columns_end. Its views live as long as that packet's bytes.
    const ok_message& ok() const noexcept { return ok_; }
    std::uint16_t status() const noexcept { return ok_.status; }
    bool in_transaction() const noexcept { return ok_.status & status::in_transaction; }
    // An ERR came since: it may have ended the transaction (deadlock) or begun one (autocommit=0,
    // a procedure, an earlier statement of several). A COM_PING tells.
    bool status_uncertain() const noexcept { return uncertain_; }
    std::uint16_t error_number() const noexcept { return error_; }    // of the last ERR
    std::uint32_t column_count() const noexcept { return columns_; }  // of the current result
    const prepare_ok& prepared() const noexcept { return prepared_; }
    // From elsewhere: the login's OK.
    void set_status(std::uint16_t flags) noexcept
    {
        ok_ = {};
        ok_.status = flags;
        uncertain_ = false;
    }

    // A fake entry whose turn has come; call until it is empty after each of the above.
    std::optional<owed> take_fake() noexcept;

    // Forgets an owner that has gone: its replies are swallowed.
    void disown(const void* owner) noexcept;

    bool empty() const noexcept { return queue_.empty(); }  // nothing is owed
    std::size_t size() const noexcept { return queue_.size(); }
    const owed* head() const noexcept { return queue_.empty() ? nullptr : &queue_.front(); }
    // Bytes of the head's reply have come.
    bool head_begun() const noexcept { return state_ != state::begin || continued_; }
    template <class F>
    void for_each(F&& visit) const
    {
        for (std::size_t i = 0; i < queue_.size(); ++i)
            visit(queue_[i]);
    }
    std::uint32_t capabilities() const noexcept { return capabilities_; }

private:
    enum class state : std::uint8_t {
        begin,           // nothing of the reply has come
        next_result,     // ... of a further result
        parameters,      // definitions: of a prepared statement's parameters
        columns,         // ... of columns
        parameters_end,  // the EOF behind these
        columns_end,
        rows,    // up to the end
        fields,  // COM_FIELD_LIST: definitions up to the end
        upload,  // the client sends a file
    };

    bool deprecates_eof() const noexcept { return capabilities_ & capability::deprecate_eof; }
    bool is_end(packet_header header, std::byte first) const noexcept;
    state initial_state() const noexcept;
    void decide(verdict& out, packet_header header, bytes_view there) noexcept;
    void first_packet(verdict& out, bytes_view payload) noexcept;
    void result_begins(verdict& out, bytes_view payload) noexcept;
    void prepare_begins(verdict& out, bytes_view payload) noexcept;
    void definition(verdict& out) noexcept;
    void group_ended(verdict& out) noexcept;
    void on_ok(verdict& out, bytes_view payload, packet_kind kind) noexcept;
    void on_eof(verdict& out, bytes_view payload, packet_kind kind) noexcept;
    void on_error(verdict& out, bytes_view payload) noexcept;
    void result_ends(verdict& out) noexcept;
    void end(verdict& out) noexcept;

    ring<owed> queue_;
    owed ended_;
    ok_message ok_;
    prepare_ok prepared_;
    std::uint32_t capabilities_;
    std::uint32_t left_ = 0;     // definitions of the current group still to come
    std::uint32_t columns_ = 0;  // of the current result
    std::uint16_t error_ = 0;
    state state_ = state::begin;
    std::uint8_t sequence_ = 1;  // of the packet to come, once a reply has begun
    bool preparing_ = false;
    bool continued_ = false;         // the packet to come is a continuation
    bool upload_continued_ = false;  // ... on the client's side
    bool uncertain_ = false;
};

}  // namespace sluice::mysql
