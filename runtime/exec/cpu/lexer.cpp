#include "runtime/exec/cpu/lexer.hpp"

namespace fastgpu::exec {
namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool starts_name(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '$' ||
         static_cast<unsigned char>(c) >= 0x80;
}
bool continues_name(char c) {
  return starts_name(c) || is_digit(c);
}
bool is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\r' || c == '\f' || c == '\v';
}

class Lexer {
 public:
  explicit Lexer(std::string_view source) : source_(source) {}

  std::vector<Token> run() {
    bool line_start = true;
    while (at_ < source_.size()) {
      const std::size_t begin = at_;
      const Token::Kind kind = next(line_start);
      tokens_.push_back({kind, source_.substr(begin, at_ - begin)});
      if (tokens_.back().is("\n"))
        line_start = true;
      else if (kind != Token::Kind::space)
        line_start = false;
    }
    return std::move(tokens_);
  }

 private:
  char peek(std::size_t ahead = 0) const {
    return at_ + ahead < source_.size() ? source_[at_ + ahead] : '\0';
  }

  Token::Kind next(bool line_start) {
    const char c = peek();
    if (c == '\n') {
      ++at_;
      return Token::Kind::space;
    }
    if (is_blank(c)) {
      while (is_blank(peek()))
        ++at_;
      return Token::Kind::space;
    }
    if (c == '/' && (peek(1) == '/' || peek(1) == '*')) {
      skip_comment();
      return Token::Kind::space;
    }
    if (c == '#' && line_start) {
      skip_directive();
      return Token::Kind::directive;
    }
    if (c == '"' || c == '\'') {
      skip_literal(c);
      return Token::Kind::text;
    }
    if (starts_name(c))
      return name_or_prefixed_literal();
    if (is_digit(c) || (c == '.' && is_digit(peek(1)))) {
      skip_number();
      return Token::Kind::number;
    }
    ++at_;
    return Token::Kind::mark;
  }

  void skip_comment() {
    if (peek(1) == '*') {
      const std::size_t end = source_.find("*/", at_ + 2);
      at_ = end == std::string_view::npos ? source_.size() : end + 2;
      return;
    }
    while (at_ < source_.size() && peek() != '\n') {
      if (peek() == '\\' && peek(1) == '\n')
        ++at_;
      ++at_;
    }
  }

  void skip_directive() {
    while (at_ < source_.size() && peek() != '\n') {
      if (peek() == '\\' && peek(1) == '\n') {
        at_ += 2;
      } else if (peek() == '\\' && peek(1) == '\r' && peek(2) == '\n') {
        at_ += 3;
      } else if (peek() == '/' && (peek(1) == '*' || peek(1) == '/')) {
        skip_comment();
      } else {
        ++at_;
      }
    }
  }

  /// An unterminated literal ends with its line, so that the rest of the file is still seen.
  void skip_literal(char quote) {
    ++at_;
    while (at_ < source_.size() && peek() != quote && peek() != '\n')
      at_ += peek() == '\\' && at_ + 1 < source_.size() ? 2 : 1;
    if (peek() == quote)
      ++at_;
  }

  void skip_raw_literal() {
    const std::size_t open = source_.find('(', at_);
    if (open == std::string_view::npos || open - at_ > 17) {
      skip_literal('"');
      return;
    }
    std::string_view delimiter = source_.substr(at_ + 1, open - at_ - 1);
    for (std::size_t close = source_.find(')', open); close != std::string_view::npos;
         close = source_.find(')', close + 1)) {
      const std::string_view rest = source_.substr(close + 1);
      if (rest.starts_with(delimiter) && rest.substr(delimiter.size()).starts_with('"')) {
        at_ = close + 2 + delimiter.size();
        return;
      }
    }
    at_ = source_.size();
  }

  Token::Kind name_or_prefixed_literal() {
    const std::size_t begin = at_;
    while (continues_name(peek()))
      ++at_;
    const std::string_view name = source_.substr(begin, at_ - begin);
    if (peek() == '"' &&
        (name == "R" || name == "LR" || name == "uR" || name == "UR" || name == "u8R")) {
      skip_raw_literal();
      return Token::Kind::text;
    }
    const bool prefix = name == "L" || name == "u" || name == "U" || name == "u8";
    if (prefix && (peek() == '"' || peek() == '\'')) {
      skip_literal(peek());
      return Token::Kind::text;
    }
    return Token::Kind::identifier;
  }

  void skip_number() {
    while (continues_name(peek()) || peek() == '.' || (peek() == '\'' && continues_name(peek(1)))) {
      const char c = peek();
      ++at_;
      const bool exponent = c == 'e' || c == 'E' || c == 'p' || c == 'P';
      if (exponent && (peek() == '+' || peek() == '-') && is_digit(peek(1)))
        ++at_;
    }
  }

  std::string_view source_;
  std::size_t at_{0};
  std::vector<Token> tokens_;
};

}  // namespace

std::vector<Token> lex(std::string_view source) {
  return Lexer(source).run();
}

}  // namespace fastgpu::exec
