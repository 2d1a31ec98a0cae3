// gateway/my_front.cpp: the login of a MySQL client, and COM_CHANGE_USER.
#include "gateway/context.hpp"
#include "gateway/front.hpp"
#include "gateway/tenants/identify.hpp"
#include "gateway/my_errors.hpp"
#include "proto/mysql/constants.hpp"
#include "proto/mysql/server_login.hpp"

namespace sluice::gateway {
namespace {

mysql::client_tls tls_of(tls_mode mode)
{
    switch (mode) {
        case tls_mode::off:
            return mysql::client_tls::off;
        case tls_mode::prefer:
            return mysql::client_tls::prefer;
        case tls_mode::require:
        case tls_mode::verify:
            break;
    }
    return mysql::client_tls::require;
}

// MySQL names a client's host without its port.
std::string host_of(const client_identity& who)
{
    return who.unix_socket() ? "localhost" : who.peer.substr(0, who.peer.rfind(':'));
}

mysql::server_login_options options_of(context& shared,
                                       const generation& rules,
                                       const client_identity& who)
{
    mysql::server_login_options options;
    options.server_version = shared.mysql_version.text();
    options.connection_id = who.pid;
    // As servers of that name do; a client that has no such plugin is asked by another one.
    if (options.server_version.find("MariaDB") != std::string::npos)
        options.plugin = mysql::auth_plugin::native_password;
    options.unix_socket = who.unix_socket();
    options.tls =
        options.unix_socket ? mysql::client_tls::off : tls_of(rules.settings.listen.tls.mode);
    options.trust = rules.settings.auth.method == auth_method::trust;
    options.rsa = shared.rsa.get();
    options.host = host_of(who);
    return options;
}

mysql::session_so_far before_of(const client_identity& who)
{
    return {who.mysql->capabilities, who.mysql->tls, who.mysql->nonce};
}

class my_front final : public front {
public:
    my_front(context& shared, const generation& rules, const client_identity& who)
        : rules_(rules), login_(options_of(shared, rules, who))
    {
    }
    my_front(context& shared,
             const generation& rules,
             const client_identity& who,
             const mysql::session_so_far& before)
        : rules_(rules), login_(options_of(shared, rules, who), before)
    {
    }

    void greet(byte_queue& out) override
    {
        std::size_t consumed = 0;
        login_.step({}, consumed, out);
    }

    front_action step(bytes_view input, std::size_t& consumed, byte_queue& out) override
    {
        using action = mysql::server_login_action;
        for (;;) {
            std::size_t taken = 0;
            const auto next = login_.step(input.subspan(consumed), taken, out);
            consumed += taken;
            switch (next) {
                case action::need_credentials:
                    login_.supply(rules_.users.mysql_credentials_for(name()), out);
                    break;
                case action::read_more:
                    return front_action::read_more;
                case action::start_tls:
                    return front_action::start_tls;
                case action::check_password:
                    return front_action::check_password;
                case action::authenticated:
                    return front_action::authenticated;
                case action::failed:
                    return front_action::failed;
                case action::gone:
                    return front_action::gone;
            }
        }
    }

    std::size_t read_max() const noexcept override { return login_.read_max(); }
    void tls_started(SSL*) override { login_.tls_started(); }

    // RSA, and PBKDF2 where SCRAM verifiers are all there is.
    std::function<bool()> password_check() override
    {
        pg::credentials scram;
        if (login_.known().other)
            scram = rules_.users.credentials_for(name());
        return [sealed = login_.sealed(),
                known = login_.known(),
                scram = std::move(scram),
                user = name()] {
            auto password = sealed.open();
            if (!password)
                return false;
            const bool matches = mysql::password_matches(known, *password) ||
                                 (known.other && pg::password_matches(scram, user, *password));
            mysql::wipe(*password);
            return matches;
        };
    }

    void password_checked(bool matches, byte_queue& out) override
    {
        login_.password_checked(matches, out);
    }

    std::optional<client_address> cancelled() override { return std::nullopt; }

    void introduce(client_identity& who) override
    {
        auto facts = std::make_unique<my_client>();
        facts->capabilities = login_.capabilities();
        facts->max_packet = login_.max_packet();
        facts->collation = login_.collation();
        facts->sequence = login_.sequence();
        facts->tls = login_.tls_active();
        facts->nonce = login_.nonce();  // for its next COM_CHANGE_USER
        who.user = login_.user();
        who.database = login_.database();
        who.parameters = login_.attributes();
        who.mysql = std::move(facts);
    }

    const std::string& user() const noexcept override { return login_.user(); }
    std::string failure() const override
    {
        const auto known = rules_.users.mysql_credentials_for(name());
        const bool needs_password = known.known && known.other && known.native.empty() &&
                                    known.sha2.empty() && !login_.tls_active();
        return login_.failure().reason +
               (needs_password ? "; without TLS, log in with the SHA2$ verifier that `sluice "
                                 "password " +
                                     name() + "` prints, in users." + name() +
                                     ".password beside the SCRAM verifier"
                               : "");
    }
    std::uint8_t sequence() const noexcept override { return login_.sequence(); }

private:
    // Whose password it is: without the tenant.
    std::string name() const
    {
        return std::string(login_name(rules_.settings.tenants, login_.user()));
    }

    const generation& rules_;
    mysql::server_login login_;
};

}  // namespace

std::unique_ptr<front> make_my_front(context& shared,
                                     const generation& rules,
                                     const client_identity& who)
{
    if (who.mysql)
        return std::make_unique<my_front>(shared, rules, who, before_of(who));
    return std::make_unique<my_front>(shared, rules, who);
}

}  // namespace sluice::gateway
