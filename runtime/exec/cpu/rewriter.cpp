#include "runtime/exec/cpu/rewriter.hpp"

#include <algorithm>
#include <optional>
#include <vector>

#include "runtime/base/limits.hpp"

namespace fastgpu::exec {
namespace {

bool is_assembler_word(const Token& token) {
  return token.kind == Token::Kind::identifier &&
         (token.is("asm") || token.is("__asm__") || token.is("__asm"));
}

/// `extern __shared__ T name[]rows;`
struct SharedArray {
  std::string type;
  std::string name;
  std::string rows;   ///< further dimensions, "[32]"
  std::string lines;  ///< the line ends inside the declaration
  std::size_t end;    ///< index of the semicolon
};

class Rewriter {
 public:
  explicit Rewriter(const std::vector<Token>& tokens) : tokens_(tokens) {}

  void run(Rewritten& out) {
    out_ = &out;
    for (std::size_t i = 0; i < tokens_.size(); ++i) {
      const Token& token = tokens_[i];
      if (token.kind == Token::Kind::directive) {
        copy_directive(token);
        continue;
      }
      if (is_assembler_word(token)) {
        out.text += "__fastgpu_inline_ptx";
        continue;
      }
      if (token.is("<") && is_launch(i)) {
        out_->text += "; __fastgpu_launch_in_source ";
        i += 2;
        continue;
      }
      if (token.is("extern")) {
        if (const auto shared = parse_shared(i)) {
          write(*shared);
          i = shared->end;
          continue;
        }
      }
      if (token.is("__global__"))
        note_kernel(i);
      follow_scope(token);
      out.text += token.text;
    }
  }

 private:
  void copy_directive(const Token& directive) {
    bool define = false;
    for (const Token& token : lex(directive.text.substr(1))) {
      define |= token.is("define");
      out_->hidden_kernels |= define && token.is("__global__");
    }
    out_->text += '#';
    for (const Token& token : lex(directive.text.substr(1)))
      out_->text += is_assembler_word(token) ? "__fastgpu_inline_ptx" : token.text;
  }

  /// `k<<<grid, block>>>`, and not `operator<<<T>`.
  bool is_launch(std::size_t at) const {
    const bool three =
        at + 2 < tokens_.size() && tokens_[at + 1].is("<") && tokens_[at + 2].is("<");
    return three && !last_.is("operator") &&
           (last_.kind == Token::Kind::identifier || last_.is(">"));
  }

  /// The first name in front of a parenthesis that is no attribute's.
  void note_kernel(std::size_t at) {
    std::string_view name;
    int depth = 0;
    for (std::size_t i = at + 1; i < tokens_.size(); ++i) {
      const Token& token = tokens_[i];
      if (token.kind == Token::Kind::space || token.kind == Token::Kind::directive)
        continue;
      if (token.is("(")) {
        if (depth == 0 && !name.empty() && !is_attribute_word(name)) {
          out_->kernels.insert(std::string(name));
          return;
        }
        ++depth;
      } else if (token.is(")")) {
        --depth;
      } else if (token.is(";") || token.is("{") || depth < 0) {
        return;
      } else if (depth == 0) {
        name = token.kind == Token::Kind::identifier ? token.text : std::string_view{};
      }
    }
  }

  std::optional<SharedArray> parse_shared(std::size_t at) const {
    SharedArray result;
    std::vector<std::string_view> words;
    bool shared = false;
    std::size_t i = at + 1;
    for (; i < tokens_.size() && !tokens_[i].is("["); ++i) {
      const Token& token = tokens_[i];
      if (token.kind == Token::Kind::text || token.is(";") || token.is("{") || token.is("("))
        return std::nullopt;
      if (token.kind == Token::Kind::directive)
        return std::nullopt;
      if (token.kind == Token::Kind::space) {
        result.lines +=
            std::count(token.text.begin(), token.text.end(), '\n')
                ? std::string(std::count(token.text.begin(), token.text.end(), '\n'), '\n')
                : "";
      } else if (token.is("__shared__")) {
        shared = true;
      } else if (is_attribute_word(token.text)) {
        i = skip_parentheses(i + 1);
      } else {
        words.push_back(token.text);
      }
    }
    if (!shared || words.size() < 2)
      return std::nullopt;
    result.name = words.back();
    for (std::size_t w = 0; w + 1 < words.size(); ++w)
      result.type += (w ? " " : "") + std::string(words[w]);
    for (; i < tokens_.size() && !tokens_[i].is("]"); ++i) {
    }
    for (++i; i < tokens_.size() && !tokens_[i].is(";"); ++i)
      result.rows += tokens_[i].text;
    result.end = i;
    return i < tokens_.size() ? std::optional(result) : std::nullopt;
  }

  std::size_t skip_parentheses(std::size_t at) const {
    int depth = 0;
    for (std::size_t i = at; i < tokens_.size(); ++i) {
      if (tokens_[i].is("("))
        ++depth;
      if (tokens_[i].is(")") && --depth == 0)
        return i;
    }
    return tokens_.size();
  }

  void write(const SharedArray& array) {
    std::string& text = out_->text;
    if (functions_ > 0) {
      const std::string row = "__fastgpu_row_" + array.name;
      text += "typedef " + array.type + " " + row + array.rows + "; " + row + "* const " +
              array.name + " = __fastgpu::dynamic_shared<" + row + ">();";
    } else {
      out_->shared_at_file_scope = true;
      text += "extern __thread " + array.type + " " + array.name + "[" +
              std::to_string(base::limits::shared_memory_bytes_max) + " / sizeof(" + array.type +
              array.rows + ")]" + array.rows +
              " __asm__(\"fastgpu_shared_storage\") __attribute__((visibility(\"hidden\")));";
    }
    text += array.lines;
  }

  /// Counts the braces that belong to functions: those opened after a closing parenthesis, and all
  /// inside them.
  void follow_scope(const Token& token) {
    if (token.kind == Token::Kind::space)
      return;
    if (token.is(")")) {
      after_parenthesis_ = true;
    } else if (token.is("{")) {
      const bool type = type_word_ && !last_.is(")");  // struct alignas(16) S {
      const bool function = (after_parenthesis_ && !type) || functions_ > 0;
      braces_.push_back(function);
      functions_ += function ? 1 : 0;
    } else if (token.is("}") && !braces_.empty()) {
      functions_ -= braces_.back() ? 1 : 0;
      braces_.pop_back();
    }
    if (token.is("{") || token.is("}") || token.is(";"))
      after_parenthesis_ = type_word_ = false;
    type_word_ |= token.is("struct") || token.is("class") || token.is("union");
    last_ = token;
  }

  const std::vector<Token>& tokens_;
  Rewritten* out_{nullptr};
  std::vector<bool> braces_;
  int functions_{0};
  bool after_parenthesis_{false};
  bool type_word_{false};
  Token last_{Token::Kind::space, {}};
};

}  // namespace

Rewritten rewrite(std::string_view source) {
  const auto tokens = lex(source);
  Rewritten result;
  result.text.reserve(source.size() + 256);
  Rewriter(tokens).run(result);
  result.barriers = find_barriers(tokens);
  return result;
}

bool Rewritten::may_wait(std::string_view expression) const {
  if (barriers.everything_waits)
    return true;
  const std::string_view base = kernel_base_name(expression);
  // What a template's arguments name may wait too: k<Functor>.
  for (const Token& token : lex(expression))
    if (barriers.waiting.contains(token.text))
      return true;
  return !kernels.contains(base) && barriers.any_mention;
}

std::string_view kernel_base_name(std::string_view expression) {
  std::string_view name = expression.substr(0, expression.find('<'));
  const auto colon = name.rfind(':');
  if (colon != std::string_view::npos)
    name.remove_prefix(colon + 1);
  while (!name.empty() && (name.front() == ' ' || name.front() == '&'))
    name.remove_prefix(1);
  while (!name.empty() && name.back() == ' ')
    name.remove_suffix(1);
  return name;
}

}  // namespace fastgpu::exec
