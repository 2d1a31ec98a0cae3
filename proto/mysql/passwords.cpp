// proto/mysql/passwords.cpp: hashes, answers and RSA of MySQL's authentication plugins.
#include "proto/mysql/passwords.hpp"

#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include <new>

namespace sluice::mysql {
namespace {

template <std::size_t Size>
std::array<std::byte, Size> digest_of(const EVP_MD* kind, bytes_view first, bytes_view second = {})
{
    std::array<std::byte, Size> out;
    const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(),
                                                                          EVP_MD_CTX_free);
    if (!context || EVP_DigestInit_ex(context.get(), kind, nullptr) != 1 ||
        EVP_DigestUpdate(context.get(), first.data(), first.size()) != 1 ||
        EVP_DigestUpdate(context.get(), second.data(), second.size()) != 1 ||
        EVP_DigestFinal_ex(context.get(), reinterpret_cast<unsigned char*>(out.data()), nullptr) !=
            1)
        throw std::bad_alloc();
    return out;
}

sha1_digest sha1(bytes_view first, bytes_view second = {})
{
    return digest_of<20>(EVP_sha1(), first, second);
}

sha256_digest sha256(bytes_view first, bytes_view second = {})
{
    return digest_of<32>(EVP_sha256(), first, second);
}

template <std::size_t Size>
void exclusive_or(std::array<std::byte, Size>& to, const std::array<std::byte, Size>& with) noexcept
{
    for (std::size_t i = 0; i < Size; ++i)
        to[i] ^= with[i];
}

// Both directions: the answer with the mask gives stage1, whose hash must be stage2.
template <class Digest, class Hash>
bool fits(bytes_view answer, const Digest& stage2, const Digest& mask, Hash hash)
{
    Digest stage1;
    if (answer.size() != stage1.size())
        return false;
    std::memcpy(stage1.data(), answer.data(), stage1.size());
    exclusive_or(stage1, mask);
    const auto made = hash(bytes_view(stage1));
    OPENSSL_cleanse(stage1.data(), stage1.size());
    return CRYPTO_memcmp(made.data(), stage2.data(), made.size()) == 0;
}

using bio_ptr = std::unique_ptr<BIO, decltype(&BIO_free)>;
using key_context = std::unique_ptr<EVP_PKEY_CTX, decltype(&EVP_PKEY_CTX_free)>;

// The password is hidden behind the nonce even from whoever holds the key but did not see it.
std::string masked(std::string_view text, bytes_view nonce)
{
    std::string out(text);
    for (std::size_t i = 0; i < out.size() && !nonce.empty(); ++i)
        out[i] = static_cast<char>(out[i] ^ std::to_integer<char>(nonce[i % nonce.size()]));
    return out;
}

key_context oaep(EVP_PKEY& key, int (*init)(EVP_PKEY_CTX*))
{
    key_context context(EVP_PKEY_CTX_new(&key, nullptr), EVP_PKEY_CTX_free);
    if (!context || init(context.get()) != 1 ||
        EVP_PKEY_CTX_set_rsa_padding(context.get(), RSA_PKCS1_OAEP_PADDING) != 1)
        context.reset();
    return context;
}

int hex_digit(char c) noexcept
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

}  // namespace

sha1_digest native_stage2(std::string_view password)
{
    return sha1(sha1(as_bytes(password)));
}

sha256_digest sha2_stage2(std::string_view password)
{
    return sha256(sha256(as_bytes(password)));
}

std::optional<sha1_digest> parse_native_verifier(std::string_view text)
{
    sha1_digest out;
    if (text.size() != 1 + 2 * out.size() || text[0] != '*')
        return std::nullopt;
    for (std::size_t i = 0; i < out.size(); ++i) {
        const int high = hex_digit(text[1 + 2 * i]);
        const int low = hex_digit(text[2 + 2 * i]);
        if (high < 0 || low < 0)
            return std::nullopt;
        out[i] = static_cast<std::byte>(high << 4 | low);
    }
    return out;
}

std::string format_native_verifier(const sha1_digest& stage2)
{
    constexpr std::string_view digits = "0123456789ABCDEF";
    std::string out = "*";
    for (const auto byte : stage2) {
        out += digits[std::to_integer<std::size_t>(byte) >> 4];
        out += digits[std::to_integer<std::size_t>(byte) & 15];
    }
    return out;
}

sha1_digest native_answer(std::string_view password, bytes_view nonce)
{
    auto stage1 = sha1(as_bytes(password));
    exclusive_or(stage1, sha1(nonce, sha1(stage1)));
    return stage1;
}

sha256_digest sha2_answer(std::string_view password, bytes_view nonce)
{
    auto stage1 = sha256(as_bytes(password));
    exclusive_or(stage1, sha256(sha256(stage1), nonce));
    return stage1;
}

bool native_fits(bytes_view answer, const sha1_digest& stage2, bytes_view nonce)
{
    return fits(
        answer, stage2, sha1(nonce, stage2), [](bytes_view stage1) { return sha1(stage1); });
}

bool sha2_fits(bytes_view answer, const sha256_digest& stage2, bytes_view nonce)
{
    return fits(
        answer, stage2, sha256(stage2, nonce), [](bytes_view stage1) { return sha256(stage1); });
}

std::string rsa_public_pem(EVP_PKEY& key)
{
    const bio_ptr to(BIO_new(BIO_s_mem()), BIO_free);
    if (!to || PEM_write_bio_PUBKEY(to.get(), &key) != 1)
        return {};
    char* data = nullptr;
    const long size = BIO_get_mem_data(to.get(), &data);
    return {data, static_cast<std::size_t>(size)};
}

rsa_key parse_rsa_public_pem(std::string_view pem)
{
    const bio_ptr from(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())), BIO_free);
    if (!from)
        return nullptr;
    rsa_key key(PEM_read_bio_PUBKEY(from.get(), nullptr, nullptr, nullptr), EVP_PKEY_free);
    if (!key || EVP_PKEY_get_base_id(key.get()) != EVP_PKEY_RSA)
        return nullptr;
    const int bits = EVP_PKEY_get_bits(key.get());
    return bits >= 1024 && bits <= 8192 ? key : nullptr;
}

std::string rsa_encrypt_password(EVP_PKEY& key, std::string_view password, bytes_view nonce)
{
    std::string clear(password);
    clear += '\0';
    auto text = masked(clear, nonce);
    wipe(clear);
    const auto context = oaep(key, EVP_PKEY_encrypt_init);
    std::string out(static_cast<std::size_t>(EVP_PKEY_get_size(&key)), '\0');
    std::size_t size = out.size();
    const bool done =
        context && EVP_PKEY_encrypt(context.get(),
                                    reinterpret_cast<unsigned char*>(out.data()),
                                    &size,
                                    reinterpret_cast<const unsigned char*>(text.data()),
                                    text.size()) == 1;
    wipe(text);
    out.resize(done ? size : 0);
    return out;
}

std::optional<std::string> rsa_decrypt_password(EVP_PKEY& key,
                                                std::string_view sent,
                                                bytes_view nonce)
{
    const auto context = oaep(key, EVP_PKEY_decrypt_init);
    std::string out(static_cast<std::size_t>(EVP_PKEY_get_size(&key)), '\0');
    std::size_t size = out.size();
    if (!context || EVP_PKEY_decrypt(context.get(),
                                     reinterpret_cast<unsigned char*>(out.data()),
                                     &size,
                                     reinterpret_cast<const unsigned char*>(sent.data()),
                                     sent.size()) != 1)
        return std::nullopt;
    auto clear = masked(std::string_view(out).substr(0, size), nonce);
    wipe(out);
    if (clear.empty() || clear.back() != '\0') {
        wipe(clear);
        return std::nullopt;
    }
    clear.pop_back();
    return clear;
}

void wipe(std::string& secret) noexcept
{
    OPENSSL_cleanse(secret.data(), secret.size());
    secret.clear();
}

}  // namespace sluice::mysql
