public import TritCore
public import TritFormats
public import TritTemplates
public import TritTokenization

/// How a model is talked to: its chat template, and the tokens that templates print by name.
///
/// A Hugging Face folder keeps templates in `chat_template.jinja`, `additional_chat_templates/` and
/// `tokenizer_config.json` (`chat_template`: a text, or a list of names and texts); a GGUF file in
/// `tokenizer.chat_template` and `tokenizer.chat_template.NAME`.
public struct ChatFormat: Sendable {
  /// A template as it was found.
  public struct Source: Sendable {
    /// `default`, `tool_use`, `rag`, …
    public let name: String
    /// Where it stands: a file, or a file and a key.
    public let place: String
    /// Its text.
    public let text: String

    /// Whether it is the one that bitnet.cpp's converter wrote for 2B-4T, which the model was not
    /// trained with.
    package var isKnownWrong: Bool { text.contains("BITNETAssistant") }
  }

  /// The templates of the model at `path`; nil where there is none. Throws for files that cannot be
  /// read.
  package static func find(_ path: String) throws -> ChatFormat? {
    do {
      return try ChatFormat(path: path)
    } catch let error as LabError where error.kind == .missingInput {
      return nil
    }
  }

  /// The templates to use, `default` first where it is there.
  public let sources: [Source]
  /// The same as the files have them, the known wrong one of 2B-4T too.
  package let stored: [Source]
  /// `bos_token`, `eos_token` and their like, as far as they are known.
  public let tokens: [(key: String, value: JSONValue)]
  /// What a user should know of the templates.
  public let notes: [String]

  /// A template alone. Tokens are those of the model at `model`, if one is given.
  public init(template: String, place: String, model: String? = nil) throws {
    sources = [Source(name: "default", place: place, text: template)]
    stored = sources
    tokens = try model.map { try ChatFiles($0).tokens } ?? []
    notes = []
  }

  /// The templates of the model at `path`: a folder, a GGUF file, a `tokenizer_config.json` or a
  /// `.jinja` file. Throws `missingInput` where there is none.
  ///
  /// The GGUF files of BitNet b1.58 2B-4T hold a template that the model was not trained with, and so
  /// does what was made from them; it is replaced by that of the model's own tokenizer, and `notes`
  /// says so.
  public init(path: String) throws {
    let files = try ChatFiles(path)
    stored = files.sources
    guard !files.sources.isEmpty else {
      throw LabError(
        .missingInput, "the model has no chat template", at: path,
        expected:
          "chat_template.jinja, chat_template in tokenizer_config.json, or tokenizer.chat_template",
        advice:
          "it may be a base model: leave --chat out, or give a template with --template FILE.jinja")
    }
    var notes: [String] = []
    sources = stored.map { source in
      guard source.isKnownWrong else { return source }
      notes = [
        "note: the template in \(source.place) is not the one that the model was trained with (bitnet.cpp's converter "
          + "wrote it): that of microsoft/bitnet-b1.58-2B-4T is taken; --template FILE.jinja gives another"
      ]
      return Source(name: source.name, place: "the template of 2B-4T", text: Self.bitnet)
    }
    tokens = files.tokens
    self.notes = notes
  }

  /// Role, colon, text and end of turn, as the tokenizer of 2B-4T has it.
  static let bitnet =
    "{% for message in messages %}{{ message['role'] | capitalize + ': ' + message['content'] | trim + '<|eot_id|>' }}"
    + "{% endfor %}{% if add_generation_prompt %}{{ 'Assistant: ' }}{% endif %}"

  /// The template of `name`; without one `tool_use` for a conversation with tools, else `default`,
  /// else the only one. Throws a usage error that lists the names.
  public func source(named name: String? = nil, hasTools: Bool = false) throws -> Source {
    let wanted = [name] + (name == nil ? [hasTools ? "tool_use" : nil, "default"] : [])
    for case let candidate? in wanted {
      if let found = sources.first(where: { $0.name == candidate }) { return found }
    }
    if name == nil, sources.count == 1 { return sources[0] }
    throw LabError(
      .usage,
      name.map { "the model has no chat template '\($0)'" }
        ?? "the model has several chat templates",
      expected: sources.map(\.name).joined(separator: ", "),
      advice: name.flatMap { Suggestion.didYouMean($0, sources.map(\.name)) }
        ?? "name one with --template-name")
  }

  /// The prompt of a conversation: what the template prints. Throws `badData` with line and column
  /// of the template.
  public func prompt(
    _ conversation: ChatConversation, named name: String? = nil, asksForAnswer: Bool = true,
    clock: TemplateClock = .now
  ) throws -> String {
    let hasTools = conversation.tools.array?.isEmpty == false
    let source = try source(named: name, hasTools: hasTools)
    let variables: [(key: String, value: JSONValue)] =
      tokens + [
        ("messages", .array(conversation.messages)), ("tools", conversation.tools),
        ("documents", conversation.documents), ("add_generation_prompt", .bool(asksForAnswer)),
      ] + conversation.variables
    return try ChatTemplate(source.text, name: source.place).render(variables, clock: clock)
  }

  /// The tokens of a prompt: control tokens are read as such, and there is one BOS in front where
  /// the tokenizer or the template puts one there, never two.
  public static func tokens(_ prompt: String, _ tokenizer: any Tokenizer) throws -> [Int] {
    var ids = try tokenizer.encode(prompt, addSpecial: true, parseSpecial: true)
    if let bos = tokenizer.bos, ids.count > 1, ids[0] == bos, ids[1] == bos { ids.removeFirst() }
    return ids
  }
}

/// What the files of a model say of its chat templates.
struct ChatFiles {
  private(set) var sources: [ChatFormat.Source] = []
  private(set) var tokens: [(key: String, value: JSONValue)] = []

  init(_ path: String) throws {
    switch FileKind(at: path) {
    case .absent:
      throw LabError(
        .missingInput, "no such file or folder", at: path,
        expected: "a model, a tokenizer_config.json or a .jinja file", advice: "check the path")
    case .folder: try read(folder: path)
    default:
      if path.hasSuffix(".jinja") {
        add("default", path, try Self.text(path))
      } else if path.hasSuffix(".json") {
        try read(configuration: path, keepsTemplates: true)
      } else {
        try read(gguf: try GGUFFile(path: path))
      }
    }
    sources.sort { ($0.name == "default" ? 0 : 1) < ($1.name == "default" ? 0 : 1) }
  }

  private mutating func add(_ name: String, _ place: String, _ text: String) {
    guard !sources.contains(where: { $0.name == name }) else { return }
    sources.append(ChatFormat.Source(name: name, place: place, text: text))
  }

  private static func text(_ path: String) throws -> String {
    let bytes = try WholeFile.read(path, limit: .configuration)
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw LabError(
        .badData, "the template is not UTF-8", at: path, expected: "UTF-8 text",
        advice: "convert it, as with: iconv -t UTF-8")
    }
    return text
  }

  /// Files win over `tokenizer_config.json`, as in transformers.
  private mutating func read(folder: String) throws {
    let file = folder + "/chat_template.jinja"
    if FileKind(at: file).isNamed { add("default", file, try Self.text(file)) }
    let more = folder + "/additional_chat_templates"
    if FileKind(at: more) == .folder {
      for name in try FolderListing(more).names where name.hasSuffix(".jinja") {
        add(
          String(name.dropLast(".jinja".count)), "\(more)/\(name)", try Self.text("\(more)/\(name)")
        )
      }
    }
    let hasFiles = !sources.isEmpty
    for name in ["tokenizer_config.json", "special_tokens_map.json"] {
      let path = folder + "/" + name
      if FileKind(at: path).isNamed {
        try read(configuration: path, keepsTemplates: !hasFiles && name == "tokenizer_config.json")
      }
    }
    // What a processor of pictures and text has beside it.
    let own = folder + "/chat_template.json"
    if sources.isEmpty, FileKind(at: own).isNamed {
      try read(configuration: own, keepsTemplates: true)
    }
    guard sources.isEmpty, tokens.isEmpty else { return }
    // A folder of GGUF files alone.
    let names = try FolderListing(folder).names.filter { $0.hasSuffix(".gguf") }
    if let name = names.first { try read(gguf: try GGUFFile(path: folder + "/" + name)) }
  }

  private mutating func read(configuration path: String, keepsTemplates: Bool) throws {
    let field = JSONField(value: try JSONReader.readFile(path), file: path)
    for (key, value) in try field.object().value.object ?? [] where key.hasSuffix("_token") {
      let text = value.string ?? value["content"]?.string
      if let text, !tokens.contains(where: { $0.key == key }) {
        tokens.append((key, .string(text)))
      }
    }
    guard keepsTemplates, let templates = field["chat_template"] else { return }
    if templates.value.array == nil {
      return add("default", templates.place, try templates.string())
    }
    for one in try templates.elements() {
      add(
        try one.required("name").string(), one.place, try one.required("template").string())
    }
  }

  private mutating func read(gguf file: GGUFFile) throws {
    let prefix = "tokenizer.chat_template"
    for (key, value) in file.metadata where key == prefix || key.hasPrefix(prefix + ".") {
      let name = key == prefix ? "default" : String(key.dropFirst(prefix.count + 1))
      add(
        name, "\(file.path): \(key)",
        try GGUFField(key: key, value: value, path: file.path).string())
    }
    let texts = file["tokenizer.ggml.tokens"]?.strings ?? []
    let ids = [
      ("bos", "bos_token"), ("eos", "eos_token"), ("unknown", "unk_token"),
      ("padding", "pad_token"),
    ]
    for (name, key) in ids where !texts.isEmpty {
      let field = GGUFField(file, "tokenizer.ggml.\(name)_token_id")
      if let id = try field?.tokenID(below: texts.count) {
        tokens.append((key, .string(texts[id])))
      }
    }
    guard sources.isEmpty else { return }
    let folder = file.path.lastIndex(of: "/").map { String(file.path[..<$0]) } ?? "."
    let jinja = folder + "/chat_template.jinja"
    if FileKind(at: jinja).isNamed { return add("default", jinja, try Self.text(jinja)) }
    let json = folder + "/tokenizer_config.json"
    if FileKind(at: json).isNamed { try read(configuration: json, keepsTemplates: true) }
  }
}
