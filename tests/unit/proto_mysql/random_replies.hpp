// tests/unit/proto_mysql/random_replies.hpp: replies as a server might send them, with what the
// tracker must say about each of their packets.
#pragma once

#include <random>
#include <vector>

#include "proto/mysql/reply_tracker.hpp"

namespace sluice::test {

class random_replies {
public:
    random_replies(std::uint32_t capabilities, unsigned seed)
        : capabilities_(capabilities), random_(seed)
    {
    }

    byte_queue bytes;
    std::vector<mysql::packet_kind> kinds;
    std::vector<mysql::command> commands;

    void add(std::size_t replies)
    {
        for (std::size_t i = 0; i < replies; ++i) {
            sequence_ = 1;
            reply();
        }
    }

private:
    using kind = mysql::packet_kind;

    unsigned below(unsigned limit) { return static_cast<unsigned>(random_()) % limit; }
    bool eofs() const { return !(capabilities_ & mysql::capability::deprecate_eof); }

    void reply()
    {
        static constexpr mysql::command all[] = {mysql::command::query,
                                                 mysql::command::query,
                                                 mysql::command::stmt_execute,
                                                 mysql::command::stmt_prepare,
                                                 mysql::command::stmt_fetch,
                                                 mysql::command::field_list,
                                                 mysql::command::statistics,
                                                 mysql::command::ping,
                                                 mysql::command::set_option};
        const auto what = all[below(std::size(all))];
        commands.push_back(what);
        if (below(8) == 0) {
            error();
            return;
        }
        switch (what) {
            case mysql::command::query:
            case mysql::command::stmt_execute:
                for (bool more = true; more;) {
                    more = below(3) == 0;
                    if (!result(more))
                        return;
                }
                return;
            case mysql::command::stmt_prepare:
                prepared();
                return;
            case mysql::command::stmt_fetch:
                rows(0);
                return;
            case mysql::command::field_list:
                for (unsigned left = below(4); left > 0; --left)
                    column();
                end(0);
                return;
            case mysql::command::statistics:
                mysql::append_message(bytes, as_bytes("Uptime: 1"), sequence_);
                kinds.push_back(kind::text);
                return;
            default:
                if (what == mysql::command::set_option && eofs()) {
                    mysql::append_eof(bytes, sequence_, {});
                    kinds.push_back(kind::ok);
                } else {
                    ok(0);
                }
                return;
        }
    }

    // False: an error has ended the reply.
    bool result(bool more)
    {
        const std::uint16_t flags = more ? mysql::status::more_results : 0;
        if (below(3) == 0) {
            ok(flags);
            return true;
        }
        const auto columns = below(5) + 1;
        mysql::append_column_count(bytes, sequence_, columns);
        kinds.push_back(kind::column_count);
        for (unsigned i = 0; i < columns; ++i)
            column();
        if (below(5) == 0) {
            end(static_cast<std::uint16_t>(flags | mysql::status::cursor_exists));
            return true;
        }
        columns_end();
        return rows(flags);
    }

    bool rows(std::uint16_t flags)
    {
        for (unsigned left = below(20); left > 0; --left) {
            mysql::packet_writer row(bytes, sequence_);
            if (below(3) == 0)
                row.u8(below(2) ? 0 : 0xfb);
            row.lenenc_string(std::string(below(300) + 1, 'r'));
            kinds.push_back(kind::row);
        }
        if (below(6) == 0) {
            error();
            return false;
        }
        end(flags);
        return true;
    }

    void prepared()
    {
        mysql::prepare_ok shape;
        shape.parameters = static_cast<std::uint16_t>(below(4));
        shape.columns = static_cast<std::uint16_t>(below(4));
        mysql::append_prepare_ok(bytes, sequence_, shape);
        kinds.push_back(kind::prepare_ok);
        for (const auto count : {shape.parameters, shape.columns}) {
            for (unsigned i = 0; i < count; ++i)
                column();
            if (count > 0)
                columns_end();
        }
    }

    void column()
    {
        mysql::column of;
        of.name = std::string_view("a long enough name for a column").substr(0, below(30));
        mysql::append_column(bytes, sequence_, of);
        kinds.push_back(kind::column);
    }
    void columns_end()
    {
        if (!eofs())
            return;
        mysql::append_eof(bytes, sequence_, {});
        kinds.push_back(kind::columns_end);
    }
    void ok(std::uint16_t flags)
    {
        mysql::ok_message message;
        message.affected_rows = below(2) ? below(1000) : 1ull << 40;
        message.status = flags;
        message.info = below(2) ? "Rows matched: 1" : "";
        mysql::append_ok(bytes, sequence_, message, capabilities_);
        kinds.push_back(kind::ok);
    }
    void end(std::uint16_t flags)
    {
        mysql::ok_message message;
        message.status = flags;
        message.warnings = static_cast<std::uint16_t>(below(3));
        mysql::append_end_of_rows(bytes, sequence_, message, capabilities_);
        kinds.push_back(kind::end);
    }
    void error()
    {
        mysql::append_err(bytes, sequence_, {1064, "42000", "You have an error"});
        kinds.push_back(kind::error);
    }

    std::uint32_t capabilities_;
    std::mt19937 random_;
    std::uint8_t sequence_ = 1;
};

}  // namespace sluice::test
