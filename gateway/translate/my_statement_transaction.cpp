// gateway/translate/my_statement_transaction.cpp: BEGIN, COMMIT, ROLLBACK, SAVEPOINT and their
// options.
#include "gateway/translate/my_statement_reader.hpp"
#include "proto/sql/mysql_literal.hpp"

namespace sluice::gateway {

using sql::token_kind;

bool my_statement_reader::transaction()
{
    using verb = my_transaction::verb;
    auto& t = out_.transaction;
    const bool start = is("start") && is("transaction", 1);
    const bool begin =
        is("begin") && (ahead(1).kind == token_kind::end || is("work", 1) || is("immediate", 1) ||
                        is("deferred", 1) || is("exclusive", 1) || is("transaction", 1));
    if (start || begin) {
        at_ += start ? 2 : 1;
        t.what = verb::begin;
        if (begin)
            while (now().kind == token_kind::word)
                ++at_;
        else
            begin_options();
    } else if (is("commit") || is("rollback")) {
        t.what = is("commit") ? verb::commit : verb::rollback;
        ++at_;
        take("work");
        if (t.what == verb::rollback && take("to")) {
            t.what = verb::rollback_to;
            take("savepoint");
            t.name = lower_my_text(sql::mysql_name_value(now()));
            ++at_;
        } else {
            end_options();
        }
    } else if (is("savepoint") || (is("release") && is("savepoint", 1))) {
        t.what = is("savepoint") ? verb::savepoint : verb::release;
        at_ += is("savepoint") ? 1 : 2;
        t.name = lower_my_text(sql::mysql_name_value(now()));
        at_ += !at_end();
    } else {
        return false;
    }
    out_.who = my_answer::transaction;
    const bool named =
        t.what == verb::savepoint || t.what == verb::release || t.what == verb::rollback_to;
    if (!at_end() || (named && t.name.empty()))
        syntax_error();
    return true;
}

// WITH CONSISTENT SNAPSHOT, READ ONLY, READ WRITE
void my_statement_reader::begin_options()
{
    auto& t = out_.transaction;
    do {
        if (is("with") && is("consistent", 1) && is("snapshot", 2)) {
            t.snapshot = true;
            at_ += 3;
        } else if (is("read") && (is("only", 1) || is("write", 1))) {
            t.read_only = is("only", 1);
            at_ += 2;
        }
    } while (take(token_kind::comma));
}

// AND [NO] CHAIN, [NO] RELEASE
void my_statement_reader::end_options()
{
    auto& t = out_.transaction;
    if (take("and")) {
        t.chain = !take("no");
        if (!take("chain"))
            t.chain = false;
    }
    if (is("no") && is("release", 1))
        at_ += 2;
    else
        t.leave = take("release");
}

}  // namespace sluice::gateway
