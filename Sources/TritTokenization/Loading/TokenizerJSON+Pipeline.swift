import TritCore
import TritFormats

/// Reading the parts of `tokenizer.json` that surround the model.
enum TokenizerPipeline {
  // MARK: Normalizer

  /// Parts of a pipeline that are read, in one list and in all: more are no tokenizer's.
  private static let maximumParts = Normalizer.maximumSteps

  static func normalizer(_ field: JSONField?) throws -> Normalizer {
    var normalizer = Normalizer(steps: [])
    if let field { try append(field, to: &normalizer) }
    return normalizer
  }

  private static func append(_ field: JSONField, to normalizer: inout Normalizer) throws {
    if try field.type() == "Sequence" {
      for part in try field.required("normalizers").elements(atMost: maximumParts) {
        try append(part, to: &normalizer)
      }
      return
    }
    guard normalizer.steps.count < maximumParts else { throw tooMany("steps", field) }
    normalizer.steps.append(try normalizerStep(field))
    normalizer.places.append(field.place)
  }

  private static func tooMany(_ what: String, _ field: JSONField) -> LabError {
    LabError(
      .badData, "too many \(what)", at: field.place, expected: "at most \(maximumParts) in all",
      advice: "use the tokenizer that belongs to the model")
  }

  private static func normalizerStep(_ field: JSONField) throws -> Normalizer.Step {
    switch try field.type() {
    case "NFC": .nfc
    case "NFD": .nfd
    case "NFKC": .nfkc
    case "NFKD": .nfkd
    case "Lowercase": .lowercase
    case "StripAccents": .stripAccents
    case "Prepend": .prepend(Array(try field.required("prepend").string().utf8))
    case "Replace":
      .replace(
        try pattern(try field.required("pattern")),
        with: Array(try field.required("content").string().utf8))
    case "Strip":
      .strip(
        left: try field.flag("strip_left", default: true),
        right: try field.flag("strip_right", default: true))
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
    var result = PreTokenizer(steps: [])
    var isByteLevel = false
    if let field { try append(field, to: &result, isByteLevel: &isByteLevel) }
    return result
  }

  private static func append(
    _ field: JSONField, to result: inout PreTokenizer, isByteLevel: inout Bool
  ) throws {
    if try field.type() == "Sequence" {
      for part in try field.required("pretokenizers").elements(atMost: maximumParts) {
        try append(part, to: &result, isByteLevel: &isByteLevel)
      }
      return
    }
    guard result.steps.count < maximumParts else { throw tooMany("steps", field) }
    result.steps.append(try preTokenizerStep(field, isByteLevel: &isByteLevel))
    result.places.append(field.place)
  }

  private static func preTokenizerStep(
    _ field: JSONField, isByteLevel: inout Bool
  ) throws -> PreTokenizer.Step {
    switch try field.type() {
    case "Split":
      let pattern = try pattern(try field.required("pattern"))
      if isByteLevel, pattern.coversText {
        throw field.unsupported("this expression after ByteLevel", known: "the other order")
      }
      return .split(pattern, try field.choice("behavior"), inverted: try field.flag("invert"))
    case "ByteLevel":
      if isByteLevel { throw field.unsupported("a second ByteLevel", known: "one") }
      isByteLevel = true
      return .byteLevel(
        addsPrefixSpace: try field.flag("add_prefix_space", default: true),
        usesRegex: try field.flag("use_regex", default: true))
    case "Digits":
      let each = try field.flag("individual_digits")
      return .split(.run(.number, limit: 1), each ? .isolated : .contiguous, inverted: false)
    case "Punctuation":
      let behavior: SplitBehavior = try field.choice("behavior", default: .isolated)
      return .split(.run(.anyPunctuation, limit: 1), behavior, inverted: false)
    case "Metaspace":
      if isByteLevel { throw field.unsupported("Metaspace after ByteLevel", known: "one of them") }
      return try metaspace(field)
    case "Whitespace": return .split(.words, .removed, inverted: true)
    case "WhitespaceSplit":
      return .split(.run(.whitespace, limit: 1), .removed, inverted: false)
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
    /// Replacements in the text of each token, in order, and where each is written.
    var replacements: [Normalizer.Step] = []
    var places: [String] = []
    var stripsLeadingSpace = false

    fileprivate mutating func append(_ step: Normalizer.Step, _ field: JSONField) throws {
      guard replacements.count < TokenizerPipeline.maximumParts else {
        throw TokenizerPipeline.tooMany("replacements", field)
      }
      replacements.append(step)
      places.append(field.place)
    }
  }

  static func decoder(_ field: JSONField?) throws -> Decoder {
    var decoder = Decoder()
    if let field { try read(field, into: &decoder) }
    return decoder
  }

  private static func read(_ field: JSONField, into decoder: inout Decoder) throws {
    switch try field.type() {
    case "Sequence":
      for part in try field.required("decoders").elements(atMost: maximumParts) {
        try read(part, into: &decoder)
      }
    case "ByteLevel": decoder.isByteLevel = true
    case "ByteFallback": decoder.hasByteFallback = true
    case "Fuse": break
    case "Replace":
      guard case .literal(let text) = try pattern(try field.required("pattern")), !text.isEmpty
      else { throw field.unsupported("a decoder's Replace by expression", known: "plain text") }
      let content = Array(try field.required("content").string().utf8)
      try decoder.append(.replace(.literal(text), with: content), field)
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
      try decoder.append(.replace(.literal(replacement), with: [0x20]), field)
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
      let parts = try field.required("processors").elements(atMost: maximumParts)
        .compactMap { try template($0, vocabulary: vocabulary) }
      guard !parts.isEmpty else { return nil }
      return (parts.reversed().flatMap(\.prefix), parts.flatMap(\.suffix))
    case let type:
      throw field.unsupported(
        "post-processor '\(type)'", known: "Sequence, TemplateProcessing, ByteLevel")
    }
  }

  private static func singleTemplate(_ field: JSONField, vocabulary: [String?]) throws
    -> (prefix: [Int], suffix: [Int])
  {
    let table = Dictionary(
      (field["special_tokens"]?.value.object ?? []).map { (ExactString($0.key), $0.value) },
      uniquingKeysWith: { first, _ in first })
    var prefix: [Int] = []
    var suffix: [Int] = []
    var seenText = false
    for part in try field.required("single").elements(atMost: maximumParts) {
      if let sequence = part["Sequence"] {
        if seenText || sequence["id"]?.value.string == "B" {
          throw part.unsupported("a template with two texts for one", known: "one sequence 'A'")
        }
        seenText = true
        continue
      }
      let name = try part.required("SpecialToken").required("id").string()
      guard let token = table[ExactString(name)] else {
        throw LabError(
          .badData, "the template names '\(name)', which special_tokens does not have",
          at: part.place)
      }
      let entry = JSONField(
        value: token, file: field.file, keyPath: "\(field.keyPath).special_tokens.\(name)")
      for id in try entry.required("ids").elements(atMost: maximumParts) {
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
