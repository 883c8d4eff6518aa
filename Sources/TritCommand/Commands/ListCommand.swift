import TritLab

/// `trit list`: what can be swapped, from the lab.
enum ListCommand {
  private static func stage(_ context: CommandContext) -> ArgumentSpec {
    ArgumentSpec(
      "stage", help: "One stage only", optional: true,
      choices: context.lab.kinds.map(\.key.rawValue))
  }
  static let brief = OptionSpec(flag: "--brief", help: "Print names and summaries only")

  static func spec(_ context: CommandContext) -> CommandSpec {
    CommandSpec(
      "list", context, overview: "List the stages and what can be swapped in for each.",
      discussion: """
        Names go into experiment files and into flags such as --quantizer and --kernel, with \
        parameters after a colon: absmean:group=64.
        """,
      arguments: [stage(context)],
      groups: [OptionGroup("OPTIONS", [brief])],
      json: "one list of the stages, each with its implementations", plugins: true,
      examples: [
        ("trit list", "every stage"),
        ("trit list kernel", "the linear kernels, with what each needs and whether it runs here"),
        ("trit list --json | jq -r '.[].implementations[].name'", "all names, for a script"),
      ],
      run: run)
  }

  @Sendable private static func run(_ arguments: ParsedArguments) throws {
    var catalog = arguments.lab.kinds
    if let wanted = try arguments.choice(stage(arguments.context)) {
      catalog = catalog.filter { $0.key.rawValue == wanted }
    }
    if arguments.isJSON {
      return try Terminal.json(Self.json(catalog))
    }
    let style = try Style.out(arguments)
    let isBrief = arguments.flag(brief)
    for (index, entry) in catalog.enumerated() {
      if index > 0 { try Terminal.line() }
      try Terminal.line(style.bold(entry.key.rawValue) + style.faint("  (\(entry.stage))"))
      for descriptor in entry.descriptors {
        try Terminal.out(
          text(descriptor, width: Terminal.columns, style: style, brief: isBrief))
      }
      if entry.descriptors.isEmpty { try Terminal.line("  (none registered)") }
    }
  }

  /// Columns before the summaries; less where the window is narrow, so that they keep room.
  private static func indent(_ width: Int) -> Int { width < 70 ? 6 : 24 }

  private static func text(
    _ descriptor: StageDescriptor, width: Int, style: Style, brief: Bool
  ) -> String {
    let mark = descriptor.unavailable == nil ? "" : " [not on this machine]"
    let indent = indent(width)
    var lines = TextLayout.wrap(descriptor.summary + mark, width: width, indent: indent)
    let name = "  " + descriptor.name
    if name.count + 1 < indent {
      lines[0] =
        "  " + style.bold(descriptor.name) + lines[0].dropFirst(name.count)
    } else {
      lines.insert("  " + style.bold(descriptor.name), at: 0)
    }
    guard !brief else { return lines.joined(separator: "\n") + "\n" }
    let facts = facts(descriptor)
    let keys = facts.map(\.key.count).max() ?? 0
    for (key, value) in facts {
      // Labels stand in a column of their own, as long as that leaves values room.
      let hang = indent + min(keys, 12) + 1
      var wrapped = TextLayout.wrap(value, width: width, indent: hang)
      let label = TextLayout.padded(String(repeating: " ", count: indent) + key, hang - 1)
      if label.count < hang {
        wrapped[0] = style.faint(label) + " " + wrapped[0].dropFirst(hang)
      } else {
        wrapped.insert(style.faint(label), at: 0)
      }
      lines += wrapped
    }
    return lines.joined(separator: "\n") + "\n"
  }

  private static func facts(_ descriptor: StageDescriptor) -> [(key: String, value: String)] {
    var facts: [(key: String, value: String)] = []
    if !descriptor.aliases.isEmpty {
      facts.append(("also", descriptor.aliases.joined(separator: ", ")))
    }
    facts.append(("source", descriptor.source))
    if !descriptor.accepts.isEmpty || !descriptor.gives.isEmpty {
      facts.append(("takes", "\(descriptor.accepts) -> \(descriptor.gives)"))
    }
    facts.append(("exact", descriptor.exactness.text))
    if descriptor.origin != .builtIn { facts.append(("from", descriptor.origin.text)) }
    if !descriptor.instructionSets.isEmpty {
      facts.append(("needs", descriptor.instructionSets.joined(separator: ", ")))
    }
    if let reason = descriptor.unavailable { facts.append(("not here", reason)) }
    for parameter in descriptor.parameters {
      let range = "[\(parameter.domainText); default \(parameter.defaultValue)]"
      facts.append(("\(parameter.name)=", "\(parameter.summary) \(range)"))
    }
    return facts
  }

  private static func json(_ catalog: [StageInformation]) -> JSONValue {
    .array(
      catalog.map { entry in
        .object([
          ("key", .string(entry.key.rawValue)), ("stage", .string(entry.stage)),
          ("implementations", .array(entry.descriptors.map(json))),
        ])
      })
  }

  private static func json(_ descriptor: StageDescriptor) -> JSONValue {
    let parameters = descriptor.parameters.map { parameter in
      JSONValue.object([
        ("name", .string(parameter.name)), ("summary", .string(parameter.summary)),
        ("domain", .string(parameter.domainText)),
        ("default", .string(parameter.defaultValue.description)),
      ])
    }
    return .object([
      ("name", .string(descriptor.name)),
      ("aliases", .array(descriptor.aliases.map(JSONValue.string))),
      ("summary", .string(descriptor.summary)), ("source", .string(descriptor.source)),
      ("accepts", .string(descriptor.accepts)), ("gives", .string(descriptor.gives)),
      ("exactness", .string(descriptor.exactness.text)),
      ("origin", .string(descriptor.origin.text)),
      ("instruction_sets", .array(descriptor.instructionSets.map(JSONValue.string))),
      ("available", .bool(descriptor.unavailable == nil)),
      ("unavailable_because", descriptor.unavailable.map(JSONValue.string) ?? .null),
      ("parameters", .array(parameters)), ("kernel", descriptor.kernel.map(json) ?? .null),
    ])
  }

  /// What is stated of a kernel.
  private static func json(_ facts: KernelFacts) -> JSONValue {
    [
      "packing": facts.packing.map(JSONValue.string) ?? .null,
      "instruction_set": facts.instructionSet.map(JSONValue.string) ?? .null,
      "auto": .bool(facts.isCandidate),
    ]
  }
}
