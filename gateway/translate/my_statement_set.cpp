// gateway/translate/my_statement_set.cpp: the lists that SET takes.
#include "gateway/translate/my_statement_reader.hpp"
#include "proto/sql/mysql_literal.hpp"

namespace sluice::gateway {

using sql::token_kind;

// To the comma that ends a value, or the end.
std::size_t my_statement_reader::value_end() const
{
    std::size_t depth = 0;
    for (std::size_t i = at_;; ++i) {
        const auto kind = tokens_[i].kind;
        if (kind == token_kind::end || (kind == token_kind::comma && depth == 0))
            return i;
        depth += kind == token_kind::open_paren;
        depth -= kind == token_kind::close_paren && depth > 0;
    }
}

std::string my_statement_reader::value_text(std::size_t to)
{
    const auto from = std::exchange(at_, to);
    if (from >= to)
        return {};
    const auto& last = tokens_[to - 1].text;
    return std::string(tokens_[from].text.data(), last.data() + last.size());
}

bool my_statement_reader::settings()
{
    if (!is("set"))
        return false;
    ++at_;
    out_.who = my_answer::set;
    do {
        if (!setting()) {
            syntax_error();
            return true;
        }
    } while (take(token_kind::comma));
    if (!at_end())
        syntax_error();
    return true;
}

bool my_statement_reader::set_transaction(my_setting& one)
{
    one.what = my_setting::kind::transaction;
    do {
        if (is("isolation") && is("level", 1)) {
            at_ += 2;
            const bool two = is("read") || is("repeatable");
            std::string words = lower_my_text(now().text);
            if (two)
                words += " " + lower_my_text(ahead(1).text);
            at_ += two ? 2 : 1;
            one.isolation = sql::isolation_from_text(words);
            if (!one.isolation)
                return false;
        } else if (is("read") && (is("only", 1) || is("write", 1))) {
            one.read_only = is("only", 1);
            at_ += 2;
        } else {
            return false;
        }
    } while (take(token_kind::comma));
    return true;
}

bool my_statement_reader::setting()
{
    my_setting one;
    const bool scoped =
        is("session") || is("local") || is("global") || is("persist") || is("persist_only");
    if (scoped && ahead(1).kind != token_kind::op) {
        one.global = !is("session") && !is("local");
        one.session = !one.global;
        ++at_;
    }
    if (is("transaction")) {
        ++at_;
        const bool read = set_transaction(one);
        out_.settings.push_back(std::move(one));
        return read;
    }
    if (is("names") || is("charset") || (is("character") && is("set", 1))) {
        at_ += is("character") ? 2 : 1;
        one.what = my_setting::kind::names;
        one.name = lower_my_text(sql::mysql_name_value(now()));
        ++at_;
        if (take("collate")) {
            one.expression = lower_my_text(sql::mysql_name_value(now()));
            ++at_;
        }
        out_.settings.push_back(std::move(one));
        return true;
    }
    if (now().kind == token_kind::variable && !now().text.starts_with("@@")) {
        one.what = my_setting::kind::user;
        one.name = sql::mysql_name_value(sql::mysql_lexer(now().text.substr(1), session_).next());
        ++at_;
    } else {
        std::string name(now().text);
        if (now().kind == token_kind::quoted_word)
            name = sql::mysql_name_value(now());
        if (now().kind != token_kind::word && now().kind != token_kind::variable &&
            now().kind != token_kind::quoted_word)
            return false;
        name = lower_my_text(name);
        std::erase(name, '`');
        if (name.starts_with("@@"))
            name.erase(0, 2);
        for (const std::string_view scope : {"session.", "local.", "global.", "persist."})
            if (name.starts_with(scope)) {
                one.global = scope[0] == 'g' || scope[0] == 'p';
                name.erase(0, scope.size());
            }
        one.name = std::move(name);
        ++at_;
    }
    if (now().kind != token_kind::op || (now().text != "=" && now().text != ":="))
        return false;
    ++at_;
    one.expression = value_text(value_end());
    const bool complete = !one.expression.empty();
    out_.settings.push_back(std::move(one));
    return complete;
}

}  // namespace sluice::gateway
