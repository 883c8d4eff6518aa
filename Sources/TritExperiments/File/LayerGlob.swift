/// Globs over the names of linear layers.
enum LayerGlob {
  /// The linear layers of a block, by their GGUF names.
  static let linears = [
    "attn_q", "attn_k", "attn_v", "attn_output", "ffn_gate", "ffn_up", "ffn_down",
  ]

  /// Whether `pattern` matches a layer of any model: a test that catches misspelt names before a model
  /// is read. Block numbers from the end are negative.
  static func canMatch(_ pattern: String) -> Bool {
    let glob = Array(pattern.utf8)
    return (-512..<512).contains { block in
      linears.contains { matches(glob[...], Array("blk.\(block).\($0)".utf8)[...]) }
    }
  }

  /// Whether the glob matches all of `text`: `*` any run, `?` one byte.
  static func matches(_ glob: ArraySlice<UInt8>, _ text: ArraySlice<UInt8>) -> Bool {
    var (glob, text) = (glob, text)
    var retry: (glob: ArraySlice<UInt8>, text: ArraySlice<UInt8>)?
    while let next = text.first {
      if let symbol = glob.first, symbol == 0x2A {
        glob = glob.dropFirst()
        retry = (glob, text)
      } else if let symbol = glob.first, symbol == 0x3F || symbol == next {
        glob = glob.dropFirst()
        text = text.dropFirst()
      } else if let again = retry {
        // The last star takes one byte more.
        text = again.text.dropFirst()
        glob = again.glob
        retry = (glob, text)
      } else {
        return false
      }
    }
    return glob.allSatisfy { $0 == 0x2A }
  }
}

extension String {
  /// The text as a file name: lower-case letters and digits of any script, single dashes; at most 120 bytes, so
  /// that what is put behind it fits too. Empty where the text has no letter and no digit.
  package var slug: String {
    var result = ""
    for character in lowercased() {
      if character.isLetter || character.isNumber {
        guard result.utf8.count + character.utf8.count <= 120 else { break }
        result.append(character)
      } else if !result.isEmpty, result.last != "-" {
        result.append("-")
      }
    }
    while result.last == "-" { result.removeLast() }
    return result
  }
}
