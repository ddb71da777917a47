#include "tests/support/fake_cuda/fake_image.hpp"

#include <elf.h>

#include <cstdint>
#include <cstring>
#include <vector>

namespace fastgpu::testing {
namespace {

constexpr std::uint16_t machine_cuda = 190;
constexpr unsigned char abi_version = 8;
constexpr const char* kernel_section = ".fake.kernel";
constexpr const char* object_section = ".fake.object";

}  // namespace

std::string write_fake_image(const FakeImage& image) {
  std::string names(1, '\0');
  std::string content;
  std::vector<Elf64_Shdr> sections(1);
  const auto add = [&](const std::string& name, const std::string& bytes) {
    Elf64_Shdr section{};
    section.sh_name = static_cast<Elf64_Word>(names.size());
    section.sh_type = SHT_PROGBITS;
    section.sh_offset = sizeof(Elf64_Ehdr) + content.size();
    section.sh_size = bytes.size();
    sections.push_back(section);
    names += name + '\0';
    content += bytes;
  };
  add(kernel_section, image.kernel + '\0');
  add(object_section, image.object);
  if (image.has_globals) {
    add(".nv.global", "");
  }
  Elf64_Shdr table{};
  table.sh_name = 0;
  table.sh_type = SHT_STRTAB;
  table.sh_offset = sizeof(Elf64_Ehdr) + content.size();
  table.sh_size = names.size();
  sections.push_back(table);
  content += names;

  Elf64_Ehdr head{};
  std::memcpy(head.e_ident, ELFMAG, SELFMAG);
  head.e_ident[EI_CLASS] = ELFCLASS64;
  head.e_ident[EI_ABIVERSION] = abi_version;
  head.e_machine = machine_cuda;
  head.e_flags = image.arch << 8;
  head.e_shoff = sizeof head + content.size();
  head.e_shentsize = sizeof(Elf64_Shdr);
  head.e_shnum = static_cast<Elf64_Half>(sections.size());
  head.e_shstrndx = static_cast<Elf64_Half>(sections.size() - 1);
  std::string file(reinterpret_cast<const char*>(&head), sizeof head);
  file += content;
  file.append(reinterpret_cast<const char*>(sections.data()), sections.size() * sizeof(Elf64_Shdr));
  return file;
}

/// The driver is given no length either.
std::optional<FakeImage> read_fake_image(const void* begin) {
  const auto* bytes = static_cast<const char*>(begin);
  if (std::strncmp(bytes, ELFMAG, SELFMAG) != 0) {
    return std::nullopt;  // a text may be shorter than a head
  }
  Elf64_Ehdr head;
  std::memcpy(&head, bytes, sizeof head);
  if (head.e_machine != machine_cuda) {
    return std::nullopt;
  }
  std::vector<Elf64_Shdr> sections(head.e_shnum);
  std::memcpy(sections.data(), bytes + head.e_shoff, head.e_shnum * sizeof(Elf64_Shdr));
  FakeImage image;
  image.arch = head.e_flags >> 8;
  for (const Elf64_Shdr& section : sections) {
    const std::string name = bytes + sections[head.e_shstrndx].sh_offset + section.sh_name;
    const std::string content(bytes + section.sh_offset, section.sh_size);
    if (name == kernel_section) {
      image.kernel = content.c_str();
    } else if (name == object_section) {
      image.object = content;
    } else if (name == ".nv.global") {
      image.has_globals = true;
    }
  }
  return image.object.empty() ? std::nullopt : std::optional(image);
}

}  // namespace fastgpu::testing
