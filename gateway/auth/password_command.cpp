// gateway/auth/password_command.cpp: `sluice password USER`.
#include "gateway/auth/password_command.hpp"

#include <openssl/crypto.h>
#include <termios.h>
#include <unistd.h>

#include <array>
#include <istream>
#include <optional>
#include <ostream>
#include <string_view>

#include "gateway/auth/user_store.hpp"
#include "gateway/auth/my_verifiers.hpp"
#include "proto/pg/md5.hpp"

namespace sluice::gateway {

namespace {

constexpr char control_c = 3;

// The terminal without echo, for a scope. Ctrl-C ends the line instead of the process, which
// would leave the terminal mute.
class silent_terminal {
public:
    explicit silent_terminal(bool wanted) noexcept
        : active_(wanted && tcgetattr(STDIN_FILENO, &before_) == 0)
    {
        if (!active_)
            return;
        auto silent = before_;
        silent.c_lflag &= ~static_cast<tcflag_t>(ECHO | ISIG);
        silent.c_cc[VEOL] = control_c;
        tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent);
    }
    ~silent_terminal()
    {
        if (active_)
            tcsetattr(STDIN_FILENO, TCSAFLUSH, &before_);
    }
    silent_terminal(const silent_terminal&) = delete;
    silent_terminal& operator=(const silent_terminal&) = delete;

private:
    termios before_{};
    bool active_;
};

enum class line_end { newline, end_of_input, interrupted, too_long };

line_end read_line(std::istream& in, bool terminal, std::string& line)
{
    line.reserve(password_size_max + 1);  // never reallocated: no copy is left behind
    for (;;) {
        const int c = in.get();
        if (c == std::istream::traits_type::eof())
            return line_end::end_of_input;
        if (c == '\n')
            break;
        if (terminal && c == control_c)
            return line_end::interrupted;
        if (line.size() > password_size_max)
            return line_end::too_long;
        line.push_back(static_cast<char>(c));
    }
    if (!line.empty() && line.back() == '\r')
        line.pop_back();
    return line_end::newline;
}

struct erased_string {
    std::string text;
    ~erased_string() { OPENSSL_cleanse(text.data(), text.size()); }
};

// Exit code, 0 with the password in `password`.
int ask(const password_streams& streams, bool terminal, std::string_view prompt, std::string& to)
{
    if (terminal)
        streams.err << prompt << std::flush;
    const auto end = read_line(streams.in, terminal, to);
    if (terminal)
        streams.err << '\n';
    if (end == line_end::interrupted)
        return 130;
    if (end == line_end::too_long || to.size() > password_size_max) {
        streams.err << "sluice: a password has at most " << password_size_max << " bytes\n";
        return 1;
    }
    if (to.empty()) {
        streams.err << "sluice: no password was given\n";
        return 1;
    }
    if (const auto problem = password_problem(to); !problem.empty()) {
        streams.err << "sluice: " << problem << '\n';
        return 1;
    }
    return 0;
}

int ask_as_often_as_needed(const password_streams& streams, bool terminal, std::string& to)
{
    const silent_terminal silence(terminal);
    if (const int code = ask(streams, terminal, "Password: ", to))
        return code;
    if (!terminal)
        return 0;
    erased_string again;
    if (const int code = ask(streams, terminal, "The same again: ", again.text))
        return code;
    if (again.text == to)
        return 0;
    streams.err << "sluice: the two passwords differ; nothing was made\n";
    return 1;
}

// Salt and iterations for the new verifier; nothing where `like` is not a verifier or there is no
// randomness.
std::optional<pg::scram_verifier> model_of(const std::string& like)
{
    if (!like.empty())
        return pg::parse_scram_verifier(like);
    std::array<std::byte, pg::scram_salt_size_default> salt{};
    if (!pg::fill_random(salt))
        return std::nullopt;
    pg::scram_verifier model;
    model.salt = as_text(salt);
    return model;
}

// A TOML key: bare, or a basic string.
std::string toml_key(std::string_view name)
{
    constexpr std::string_view bare =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-";
    if (!name.empty() && name.find_first_not_of(bare) == std::string_view::npos)
        return std::string(name);
    constexpr std::string_view digits = "0123456789ABCDEF";
    std::string quoted = "\"";
    for (const char c : name) {
        const auto code = static_cast<unsigned char>(c);
        if (c == '"' || c == '\\')
            quoted += {'\\', c};
        else if (code < 0x20 || code == 0x7f)
            quoted += {'\\', 'u', '0', '0', digits[code >> 4], digits[code & 15]};
        else
            quoted += c;
    }
    return quoted + '"';
}

void print_verifiers(std::ostream& out,
                     const std::string& user,
                     const std::string& password,
                     const pg::scram_verifier& model)
{
    const auto verifier = pg::make_scram_verifier(password, model.salt, model.iterations);
    out << "# under [users." << toml_key(user) << "]:\n"
        << "password = \"" << pg::format_scram_verifier(verifier) << "\"\n";
    const auto md5 = pg::make_md5_verifier(password, user);
    if (!md5.empty()) {
        out << "# weak, only for clients without SCRAM and [auth] method = \"md5\":\n"
            << "# password = \"" << md5 << "\"\n";
    }
    // Unsaltedly hashed twice, as those protocols need it.
    out << "# for MySQL clients without TLS too, but quicker to guess for who reads this file:\n"
        << "# password = [\"" << pg::format_scram_verifier(verifier) << "\",\n"
        << "#     \"" << format_sha2_verifier(mysql::sha2_stage2(password)) << "\",\n"
        << "#     \"" << mysql::format_native_verifier(mysql::native_stage2(password)) << "\"]\n";
    out.flush();
}

}  // namespace

int run_password_command(const std::string& user,
                         const password_streams& streams,
                         bool terminal,
                         const std::string& like)
{
    if (user.empty()) {
        streams.err << "sluice: whose password? usage: sluice password USER\n";
        return 1;
    }
    const auto model = model_of(like);
    if (!model) {
        streams.err << (like.empty() ? "sluice: the system gives no random bytes\n"
                                     : "sluice: what the salt should be taken from is no "
                                       "SCRAM-SHA-256 verifier\n");
        return 1;
    }
    erased_string password;
    if (const int code = ask_as_often_as_needed(streams, terminal, password.text))
        return code;
    // What already is a verifier would become a password that is its own text.
    if (pg::parse_scram_verifier(password.text) || pg::is_md5_verifier(password.text) ||
        parse_sha2_verifier(password.text) || mysql::parse_native_verifier(password.text)) {
        streams.err << "sluice: this is a verifier already; put it into the configuration as it "
                       "is\n";
        return 1;
    }
    print_verifiers(streams.out, user, password.text, *model);
    if (!streams.out) {
        streams.err << "sluice: the verifiers could not be written\n";
        return 1;
    }
    return 0;
}

}  // namespace sluice::gateway
