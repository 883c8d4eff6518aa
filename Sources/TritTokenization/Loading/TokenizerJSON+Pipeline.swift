import TritCore
import TritFormats

/// Reading the parts of `tokenizer.json` that surround the model.
enum TokenizerPipeline {
  // MARK: Normalizer

  static func normalizer(_ field: JSONField?) throws -> Normalizer {
    Normalizer(steps: try field.map(normalizerSteps) ?? [])
  }

  private static func normalizerSteps(_ field: JSONField) throws -> [Normalizer.Step] {
    switch try field.type() {
    case "Sequence": try field.required("normalizers").elements().flatMap(normalizerSteps)
    case "NFC": [.nfc]
    case "NFD": [.nfd]
    case "NFKC": [.nfkc]
    case "NFKD": [.nfkd]
    case "Lowercase": [.lowercase]
    case "StripAccents": [.stripAccents]
    case "Prepend": [.prepend(Array(try field.required("prepend").string().utf8))]
    case "Replace":
      [
        .replace(
          try pattern(try field.required("pattern")),
          with: Array(try field.required("content").string().utf8))
      ]
    case "Strip":
      [
        .strip(
          left: try field.flag("strip_left", default: true),
          right: try field.flag("strip_right", default: true))
      ]
    case let type:
      throw field.unsupported(
        "normalizer '\(type)'",
        known: "Sequence, NFC, NFD, NFKC, NFKD, Lowercase, StripAccents, Prepend, Replace, Strip")
    }
  }

  /// `{"String": …}` or `{"Regex": …}`.
  private static func pattern(_ field: JSONField) throws -> SplitPattern {
    if let literal = field["String"] ?? (field.value.string != nil ? field : nil) {
      return .literal(Array(try literal.string().utf8))
    }
    let regex = try field.required("Regex")
    let source = try regex.string()
    do {
      return try SplitPattern(regex: source)
    } catch {
      throw regex.unsupported(
        "the regular expression '\(source)': \(error.what), at character \(error.position), which",
        known: "classes, \\p{…}, groups, quantifiers, alternatives, look-ahead")
    }
  }

  // MARK: Pre-tokenizer

  static func preTokenizer(_ field: JSONField?) throws -> PreTokenizer {
    var steps: [PreTokenizer.Step] = []
    var isByteLevel = false
    if let field { try append(field, to: &steps, isByteLevel: &isByteLevel) }
    return PreTokenizer(steps: steps)
  }

  private static func append(
    _ field: JSONField, to steps: inout [PreTokenizer.Step], isByteLevel: inout Bool
  ) throws {
    switch try field.type() {
    case "Sequence":
      for part in try field.required("pretokenizers").elements() {
        try append(part, to: &steps, isByteLevel: &isByteLevel)
      }
    case "Split":
      let pattern = try pattern(try field.required("pattern"))
      if isByteLevel, pattern.coversText {
        throw field.unsupported("this expression after ByteLevel", known: "the other order")
      }
      steps.append(
        .split(pattern, try field.choice("behavior"), inverted: try field.flag("invert")))
    case "ByteLevel":
      if isByteLevel { throw field.unsupported("a second ByteLevel", known: "one") }
      isByteLevel = true
      steps.append(
        .byteLevel(
          addsPrefixSpace: try field.flag("add_prefix_space", default: true),
          usesRegex: try field.flag("use_regex", default: true)))
    case "Digits":
      let each = try field.flag("individual_digits")
      steps.append(
        .split(.run(.number, limit: 1), each ? .isolated : .contiguous, inverted: false))
    case "Punctuation":
      let behavior: SplitBehavior = try field.choice("behavior", default: .isolated)
      steps.append(.split(.run(.anyPunctuation, limit: 1), behavior, inverted: false))
    case "Metaspace":
      if isByteLevel { throw field.unsupported("Metaspace after ByteLevel", known: "one of them") }
      steps.append(try metaspace(field))
    case "Whitespace": steps.append(.split(.words, .removed, inverted: true))
    case "WhitespaceSplit":
      steps.append(.split(.run(.whitespace, limit: 1), .removed, inverted: false))
    case let type:
      throw field.unsupported(
        "pre-tokenizer '\(type)'",
        known: "Sequence, Split, ByteLevel, Digits, Punctuation, Metaspace, Whitespace, "
          + "WhitespaceSplit")
    }
  }

  private static func metaspace(_ field: JSONField) throws -> PreTokenizer.Step {
    let replacement = try field["replacement"]?.string() ?? "\u{2581}"
    var prepend = PreTokenizer.Prepend.always
    if field["prepend_scheme"] != nil {
      prepend = try field.choice("prepend_scheme")
    } else if try !field.flag("add_prefix_space", default: true) {
      prepend = .never
    }
    return .metaspace(
      replacement: Array(replacement.utf8), prepend: prepend,
      splits: try field.flag("split", default: true))
  }

  // MARK: Decoder

  /// What decoding does to each token's text, and to the start of the whole text.
  struct Decoder {
    var isByteLevel = false
    var hasByteFallback = false
    var replacements: [(pattern: [UInt8], content: [UInt8])] = []
    var stripsLeadingSpace = false
  }

  static func decoder(_ field: JSONField?) throws -> Decoder {
    var decoder = Decoder()
    if let field { try read(field, into: &decoder) }
    return decoder
  }

  private static func read(_ field: JSONField, into decoder: inout Decoder) throws {
    switch try field.type() {
    case "Sequence":
      for part in try field.required("decoders").elements() { try read(part, into: &decoder) }
    case "ByteLevel": decoder.isByteLevel = true
    case "ByteFallback": decoder.hasByteFallback = true
    case "Fuse": break
    case "Replace":
      guard case .literal(let text) = try pattern(try field.required("pattern")), !text.isEmpty
      else { throw field.unsupported("a decoder's Replace by expression", known: "plain text") }
      decoder.replacements.append((text, Array(try field.required("content").string().utf8)))
    case "Strip":
      let content = try field.required("content").string()
      let start = try field["start"]?.integer() ?? 0
      let stop = try field["stop"]?.integer() ?? 0
      guard content == " ", start == 0 || start == 1, stop == 0 else {
        throw field.unsupported("this Strip", known: "one space at the start")
      }
      decoder.stripsLeadingSpace = start == 1
    case "Metaspace":
      guard case .metaspace(let replacement, let prepend, _) = try metaspace(field) else { return }
      decoder.replacements.append((replacement, [0x20]))
      decoder.stripsLeadingSpace = prepend != .never
    case let type:
      throw field.unsupported(
        "decoder '\(type)'",
        known: "Sequence, ByteLevel, ByteFallback, Fuse, Replace, Strip, Metaspace")
    }
  }

  // MARK: Post-processor

  /// The tokens around a text, or nil where the processor has no template.
  static func template(_ field: JSONField?, vocabulary: [String?]) throws
    -> (prefix: [Int], suffix: [Int])?
  {
    guard let field else { return nil }
    switch try field.type() {
    case "TemplateProcessing": return try singleTemplate(field, vocabulary: vocabulary)
    case "ByteLevel": return nil
    case "Sequence":
      var result: (prefix: [Int], suffix: [Int])?
      for part in try field.required("processors").elements() {
        guard let next = try template(part, vocabulary: vocabulary) else { continue }
        let inner = result ?? ([], [])
        result = (next.prefix + inner.prefix, inner.suffix + next.suffix)
      }
      return result
    case let type:
      throw field.unsupported(
        "post-processor '\(type)'", known: "Sequence, TemplateProcessing, ByteLevel")
    }
  }

  private static func singleTemplate(_ field: JSONField, vocabulary: [String?]) throws
    -> (prefix: [Int], suffix: [Int])
  {
    let table = field["special_tokens"]
    var prefix: [Int] = []
    var suffix: [Int] = []
    var seenText = false
    for part in try field.required("single").elements() {
      if let sequence = part["Sequence"] {
        if seenText || sequence["id"]?.value.string == "B" {
          throw part.unsupported("a template with two texts for one", known: "one sequence 'A'")
        }
        seenText = true
        continue
      }
      let name = try part.required("SpecialToken").required("id").string()
      guard let token = table?.value[name] else {
        throw LabError(
          .badData, "the template names '\(name)', which special_tokens does not have",
          at: part.place)
      }
      let entry = JSONField(
        value: token, file: field.file, keyPath: "\(field.keyPath).special_tokens.\(name)")
      for id in try entry.required("ids").elements() {
        let value = try id.integer()
        guard vocabulary.indices.contains(value), vocabulary[value] != nil else {
          let isHole = vocabulary.indices.contains(value)
          throw LabError(
            .badData, "the token id is outside the vocabulary", at: id.place,
            expected: "an id with a token, in 0..<\(vocabulary.count)",
            got: "\(value)" + (isHole ? ", which the vocabulary leaves out" : ""),
            advice: "add the token '\(name)' to added_tokens, or take it out of the template")
        }
        if seenText { suffix.append(value) } else { prefix.append(value) }
      }
    }
    return (prefix, suffix)
  }
}
