import TritLab

/// The pages that are not about a kind of stage.
extension Site {
  /// How a kernel or a stage comes from outside, with the whole header.
  var plugins: SitePage {
    let body = """
      <h1>Plug-ins</h1>
      <p class="lead">A kernel of your own is one C file and one flag. Any other stage, a measure or a figure is one Swift
      file.</p>
      \(HTML.listing("trit new kernel mine                              # mine.c and mine.yaml, right and slow\n"
        + "trit kernel check mine --plugin mine.c            # is it right?\n"
        + "trit generate -m builtin:storyteller -p Once --plugin mine.c --kernel mine\n"
        + "trit arena mine.c --against i2_s                  # how fast is it, honestly?"))<h2>What happens to the file</h2>
      <ol>
      <li>It is compiled by the toolchain's own compilers, once, and kept under the digest of source, compiler and program.</li>
      <li>A child process loads it and proves its stages by the laws of their kind. One that crashes, hangs or is wrong ends
      there, with file and line where they are known.</li>
      <li>Its stages are then in the lab like all others: in flags, lists, files and completions. Every record of a run that used
      one holds its digest, so that a changed kernel is measured again.</li>
      </ol>
      <p>A plug-in is native code with the rights of whoever runs it: load what you have read.</p>
      <h2>trit_kernel.h</h2>
      <p>The whole interface of kernels in C. The kernel gives exact int32 sums; threads, scales and checks are the lab's.</p>
      \(HTML.listing(PluginBuilder.header))<h2>In Swift</h2>
      <p>A Swift file imports <code>TritLab</code> and has a function that is given the lab to register in:</p>
      \(HTML.listing("import TritLab\n\nfunc register(_ lab: inout Lab) throws {\n"
        + "  try lab.add(\n    .quantizer, StageDescriptor(\"mine\", summary: \"what it does\", source: \"whose idea it is\")\n"
        + "  ) { _ in MyQuantizer() }\n}"))
      """
    return SitePage(file: "plugins.html", title: "Plug-ins", body: body)
  }

  /// What the arena looks at and how it scores.
  var arena: SitePage {
    var body = """
      <h1>The arena</h1>
      <p class="lead">A race of one kernel against others, in which the only way to be fast is to multiply.</p>
      \(HTML.formula("score = ( Π  speed of the kernel / speed of the first baseline )^(1/n)     over n cases: shape × tokens"))
      <p>The cases are the layer shapes of BitNet b1.58 2B-4T with 1, 8 and 128 tokens, unless others are named. Speed is
      the median of runs that take turns with the baselines; each run has weights of its own, each repetition fresh activations.</p>
      <p>There is a score only where every check passed, the seed was secret, and nothing was faster than the roofs that the same
      contest measured.</p>
      <h2>What is checked</h2>

      """
    body += HTML.table(
      ["check", "what it means"],
      ArenaCheck.allCases.map { ["<code>\($0.rawValue)</code>", HTML.text($0.summary)] })
    body += """
      <p>The referee shares a process with native code: it finds cheats, not attacks on itself. What a stranger's result is worth
      is what their source, read by somebody, is worth.</p>

      """
    if let command = commands.first(where: { $0.name == "arena" }) {
      body += "<h2>Examples</h2>\n" + examples(command)
      body += "<p>All options: <a href=\"\(Self.file(of: command))\">trit arena</a>.</p>\n"
    }
    return SitePage(file: "arena.html", title: "The arena", body: body)
  }

  /// All subcommands.
  var overview: SitePage {
    var body = """
      <h1>Commands</h1>
      <p class="lead">One program, <code>trit</code>, with a subcommand for each thing to do. Each prints JSON with
      <code>--json</code>, and explains itself with <code>--help</code>.</p>
      <div class="cards">

      """
    for command in commands {
      body += HTML.card(Self.file(of: command), "trit \(command.name)", command.overview)
    }
    return SitePage(file: "commands.html", title: "Commands", body: body + "</div>\n")
  }

  /// One subcommand.
  func page(of command: CommandSpec) -> SitePage {
    var body = "<p class=\"path\"><a href=\"commands.html\">Commands</a></p>\n"
    body += "<h1>trit \(HTML.text(command.name))</h1>\n"
    body += "<p class=\"lead\">\(HTML.prose(command.overview))</p>\n"
    body += HTML.command(command.usage)
    if !command.discussion.isEmpty { body += HTML.paragraphs(command.discussion) }
    if !command.examples.isEmpty { body += "<h2>Examples</h2>\n" + examples(command) }
    if !command.arguments.isEmpty {
      body += "<h2>Arguments</h2>\n"
      body += HTML.table(
        ["argument", "what it is"],
        command.arguments.map { argument in
          let choices = argument.choices.map { "<code>\(HTML.text($0))</code>" }
          return [
            "<code>\(HTML.text(argument.synopsis))</code>",
            HTML.prose(argument.help)
              + (choices.isEmpty ? "" : ": " + choices.joined(separator: ", ")),
          ]
        })
    }
    for group in command.groups {
      let options = group.options.filter { !$0.isHidden }
      guard !options.isEmpty else { continue }
      body +=
        "<h2>\(HTML.text(group.title.prefix(1) + group.title.dropFirst().lowercased()))</h2>\n"
      body += HTML.table(["option", "what it does"], options.map(row))
    }
    return SitePage(
      file: Self.file(of: command), title: "trit \(command.name)", body: body,
      parent: "commands.html")
  }

  private func row(_ option: OptionSpec) -> [String] {
    let value = option.value.map { " <\($0)>" } ?? ""
    let names = option.names.map { "<code>\(HTML.text($0))</code>" }.joined(separator: " ")
    var help = HTML.prose(option.help)
    if option.isNegatable {
      help += ", or not: <code>--no-\(HTML.text(String(option.mainName.dropFirst(2))))</code>"
    }
    if let standard = option.defaultText { help += "; default <code>\(HTML.text(standard))</code>" }
    if let variable = option.environment { help += "; or <code>\(HTML.text(variable))</code>" }
    if !option.choices.isEmpty, option.choices.count <= 16 {
      help += "<br>" + option.choices.map { "<code>\(HTML.text($0))</code>" }.joined(separator: " ")
    }
    return [names + HTML.text(value), help]
  }

  private func examples(_ command: CommandSpec) -> String {
    command.examples.map { "<p>\(HTML.prose($0.does)):</p>\n" + HTML.command($0.line) }.joined()
  }

  static func file(of command: CommandSpec) -> String { "command-\(HTML.slug(command.name)).html" }
}
