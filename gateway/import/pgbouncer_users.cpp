// gateway/import/pgbouncer_users.cpp: auth_type, auth_file, [users], admin_users: who may log in.
#include <openssl/rand.h>

#include <algorithm>
#include <map>
#include <set>

#include "gateway/config/config.hpp"
#include "gateway/config/keys.hpp"
#include "gateway/import/translation.hpp"
#include "proto/pg/md5.hpp"

namespace sluice::gateway::importing {
namespace {

bool is_verifier(const std::string& password)
{
    return password.starts_with("SCRAM-SHA-256$") || pg::is_md5_verifier(password);
}

auth_method method_of(translation& in)
{
    const auto* entry = in.global("auth_type");
    const auto type = in.global_value("auth_type");
    if (type == "trust" || type == "any") {
        if (type == "any")
            in.note(*entry, "becomes trust; the user of each database logs in there");
        return auth_method::trust;
    }
    if (type == "md5")
        return auth_method::md5;
    if (type == "cert")
        in.note(*entry,
                "a client certificate alone is no login; listen.tls.mode = \"verify\" "
                "asks for one, and passwords are asked for as well");
    else if (type == "plain")
        in.note(*entry,
                "passwords are not sent in clear text; drivers use SCRAM-SHA-256 by "
                "themselves");
    else if (type != "scram-sha-256")
        in.note(*entry,
                type +
                    " has no counterpart; users log in with passwords: list them in "
                    "[users.NAME]");
    return auth_method::scram_sha_256;
}

class user_writer {
public:
    explicit user_writer(translation& in) : in_(in), method_(method_of(in)) {}

    void write()
    {
        static constexpr const char* names[] = {"password", "md5", "trust"};
        if (method_ != auth_method::scram_sha_256)
            in_.out.put("auth", "method", toml_string(names[static_cast<int>(method_)]));
        look_at_databases();
        if (const auto* file = in_.global("auth_file"); file && !file->value.empty()) {
            const auto listed = read_user_list(beside(file->at.file, file->value));
            for (const auto& why : listed.errors)
                in_.error(file->at, "auth_file: " + why);
            for (const auto& one : listed.users)
                write_user(one);
        }
        for (const auto& entry : in_.from().entries) {
            if (entry.section == "users")
                write_limits(entry);
        }
        write_operators("admin_users", "admin");
        write_operators("stats_users", "stats");
        const auto most = in_.global_whole("max_user_connections");
        if (most > 0)
            limit_tenants("tenants.default", most, *in_.global("max_user_connections"));
        if (known_.empty() && method_ != auth_method::trust)
            write_nobody();
    }

private:
    // Which databases have a user of their own, and which are entered as the client's.
    void look_at_databases()
    {
        for (const auto& entry : in_.from().entries) {
            if (entry.section != "databases")
                continue;
            const auto parsed = parse_connection_string(entry.value);
            const bool forced =
                parsed && std::any_of(parsed->begin(), parsed->end(), [](const auto& p) {
                    return p.first == "user";
                });
            if (forced)
                forced_.push_back(&entry);
            else
                own_user_ = true;
        }
        if (!own_user_)
            return;
        for (const auto* entry : forced_)
            in_.note(*entry,
                     "has a user of its own, but others here are entered as the client, and "
                     "users.NAME.backend_user goes for all databases: give the users of this "
                     "one no backend_user");
    }

    void write_user(const listed_user& one)
    {
        const auto table = "users." + toml_key(one.name);
        const bool trusts = method_ == auth_method::trust;
        if (one.password.empty() && !trusts)
            return in_.note(
                one.at, one.name, "has no password and could not log in; it is left out");
        if (pg::is_md5_verifier(one.password) && method_ == auth_method::scram_sha_256)
            in_.note(one.at,
                     one.name,
                     "an md5 hash serves auth.method = \"md5\" only; make a new "
                     "verifier with sluice password");
        known_.insert(one.name);
        if (!one.password.empty())
            in_.out.put(table, "password", toml_string(one.password));
        if (!own_user_)
            return;
        in_.out.put(table, "backend_user", toml_string(one.name));
        if (is_verifier(one.password))
            in_.note(one.at,
                     one.name,
                     "a hash cannot log in to the database; set backend_password "
                     "(or backend_password_file) if it asks for one");
        else if (!one.password.empty())
            in_.out.put(table, "backend_password", toml_string(one.password));
    }

    void write_limits(const ini_entry& entry)
    {
        const auto given = parse_connection_string(entry.value);
        if (!given)
            return in_.error(entry.at, "a user's settings read key=value ..");
        const auto table = "users." + toml_key(entry.key);
        if (!known_.contains(entry.key)) {
            if (method_ != auth_method::trust)
                return in_.note(
                    entry,
                    "is not in auth_file; add [users." + toml_key(entry.key) + "] with a password");
            known_.insert(entry.key);
            if (own_user_)
                in_.out.put(table, "backend_user", toml_string(entry.key));
        }
        for (const auto& [name, value] : *given) {
            ini_entry one = entry;
            one.key = name;
            one.value = value;
            write_limit(table, entry, one);
        }
    }

    // A list of names with commas.
    void write_operators(std::string_view setting, const std::string& key)
    {
        const auto* entry = in_.global(setting);
        if (!entry)
            return;
        constexpr std::string_view blanks = " \t";
        std::string_view rest = entry->value;
        while (!rest.empty()) {
            const auto comma = std::min(rest.find(','), rest.size());
            auto name = rest.substr(0, comma);
            rest.remove_prefix(std::min(comma + 1, rest.size()));
            name.remove_prefix(std::min(name.find_first_not_of(blanks), name.size()));
            name = name.substr(0, name.find_last_not_of(blanks) + 1);
            if (name.empty())
                continue;
            const auto table = "users." + toml_key(name);
            const bool trusts = method_ == auth_method::trust;
            if (!trusts && !known_.contains(std::string(name))) {
                in_.note(*entry,
                         std::string(name) + " is not in auth_file; add [" + table +
                             "] with a password and " + key + " = true");
                continue;
            }
            if (known_.insert(std::string(name)).second && own_user_)
                in_.out.put(table, "backend_user", toml_string(name));
            in_.out.put(table, key, "true");
        }
    }

    void write_limit(const std::string& table, const ini_entry& owner, const ini_entry& one)
    {
        const auto tenant = "tenants." + toml_key(owner.key);
        const auto timed = [&](std::string_view key) {
            if (const auto time = in_.milliseconds(one)) {
                in_.put(tenant, "tenants.NAME", key, scalar(*time), &one);
                tell_tenants_by_user();
            }
        };
        if (one.key == "pool_mode") {
            if (one.value != "session" && one.value != "transaction" && one.value != "statement")
                return in_.error(one.at, "pool_mode = " + one.value + " is none of PgBouncer's");
            in_.out.put(table, "pool_mode", toml_string(one.value));
        } else if (one.key == "max_user_connections") {
            if (const auto most = in_.whole(one); most && *most > 0)
                limit_tenants(tenant, *most, one);
        } else if (one.key == "max_user_client_connections") {
            if (const auto most = in_.whole(one))
                in_.put(table, "users.NAME", "max_clients", scalar(*most), &one);
        } else if (one.key == "query_timeout") {
            timed("statement_timeout");
        } else if (one.key == "transaction_timeout") {
            timed("transaction_timeout");
        } else if (one.key == "idle_transaction_timeout") {
            timed("idle_transaction_timeout");
        } else if (one.key == "pool_size" || one.key == "reserve_pool_size") {
            in_.note(one,
                     "has no counterpart for a user; see pool.size of the database and "
                     "tenants.NAME.max_concurrent");
        } else if (one.key == "client_idle_timeout") {
            in_.note(one, "has no counterpart for a user; see gateway.client_idle_timeout");
        } else {
            in_.note(one, "is no setting of a user that this version knows; it is left out");
        }
    }

    void limit_tenants(const std::string& table, std::int64_t most, const ini_entry& why)
    {
        tell_tenants_by_user();
        in_.put(table, "tenants.NAME", "max_concurrent", scalar(most), &why);
        in_.note(why,
                 "becomes " + table +
                     ".max_concurrent, which counts the requests that hold a "
                     "connection");
    }

    void tell_tenants_by_user() { in_.out.put("tenants", "key", toml_string("user")); }

    // A file without users is not valid, and this one's are not known.
    void write_nobody()
    {
        std::array<unsigned char, 16> bytes{};
        if (RAND_bytes(bytes.data(), static_cast<int>(bytes.size())) != 1)
            return in_.error(in_.start(), "no random bytes");
        std::string password;
        for (const auto byte : bytes) {
            password += "0123456789abcdef"[byte >> 4];
            password += "0123456789abcdef"[byte & 15];
        }
        in_.out.put("users.nobody", "password", toml_string(password));
        const auto* type = in_.global("auth_type");
        in_.note(type ? type->at : in_.start(),
                 "auth_file",
                 "names no users that could log in; [users.nobody] has a random password: replace "
                 "it by yours");
    }

    translation& in_;
    auth_method method_;
    std::vector<const ini_entry*> forced_;
    bool own_user_ = false;
    std::set<std::string> known_;
};

}  // namespace

void translate_users(translation& in)
{
    user_writer(in).write();
}

}  // namespace sluice::gateway::importing
