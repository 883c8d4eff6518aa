import Foundation
import TritLab

/// `trit arena`: an honest race of one kernel against others, and the tables of many races.
enum ArenaCommand {
  static let contestant = ArgumentSpec(
    "kernel",
    help: "The contestant: i2_s/avx2, mine.c, mine.c:NAME; or 'board' for a table of results")
  static let files = ArgumentSpec(
    "file", help: "Results that 'board' puts into a table", optional: true, repeats: true)
  static let against = OptionSpec(
    "--against", value: "name,…",
    help: "Kernels to race against; the score is held against the first", default: "i2_s")
  static let shapes = OptionSpec(
    "--shape", value: "RxC,…", help: "Rows and columns of layers; may be repeated",
    default: "the layers of BitNet b1.58 2B-4T")
  static let tokens = OptionSpec(
    "--tokens", value: "n,…", help: "Tokens of a multiply", default: "1,8,128")
  static let seed = OptionSpec(
    "--seed", value: "secret|n",
    help:
      "Seed of all inputs; 'secret' draws one when the kernel is loaded, and only then is there a score",
    default: "secret")
  static let runs = OptionSpec(
    "--runs", value: "n", help: "Runs, each with weights of its own; their median counts",
    default: "9")
  static let budget = OptionSpec(
    "--budget", value: "seconds", help: "Time for what is measured, beside the checks",
    default: "30")
  static let warm = OptionSpec(
    flag: "--warm", help: "Leave weights in the caches; else they come from memory each time")
  static let limit = OptionSpec(
    "--limit", value: "seconds", help: "Silence after which a kernel is taken to hang",
    default: "120")
  static let threads = OptionSpec(
    "-t", "--threads", value: "n", help: "Threads of a multiply", default: "1",
    environment: "TRITLAB_THREADS")

  static func spec(_ context: CommandContext) -> CommandSpec {
    CommandSpec(
      "arena", context, overview: "Race a kernel honestly, and give it a score.",
      discussion: """
        A kernel of the lab by its name, or one in a file of C or Swift (FILE:NAME where it holds several). 
        The kernel is checked first: the laws of kernels, buffers between pages that must not be touched, \
        calls that differ in one thing each, random shapes, the bytes that it claims. Then it runs in turn with the baselines, \
        every multiply on activations of its own, and every timed output is compared with the exact \
        product. All of that happens in a process of its own: a crash or a hang is a verdict, with file and line where \
        known. The score is the geometric mean over the cases of how many times as fast as the first baseline it is; there \
        is none where a check failed, where a clock disagrees, where something is faster than the roofs measured in the same contest allow, or \
        where the seed was given. The command ends with code 2 if the kernel failed. \
        The referee shares a process with native code: it finds cheats, not attacks on itself.
        """,
      arguments: [contestant, files],
      groups: [
        OptionGroup(
          "OPTIONS",
          [against, shapes, tokens, seed, runs, budget, warm, limit, threads])
      ],
      json: "The result, which 'board' takes; board: a line for each result", plugins: true,
      examples: [
        (
          "trit arena tl2 --against i2_s --shape 192x768 --tokens 1,8 --runs 3 --budget 0.2",
          "one small layer, in seconds"
        ),
        ("trit arena i2_s/avx2 --against i2_s,tl2 --json > mine.json", "the whole suite, kept"),
        ("trit arena board mine.json theirs.json", "a table of results, the best first"),
      ],
      run: run)
  }

  @Sendable private static func run(_ arguments: ParsedArguments) throws {
    let words = arguments.arguments
    if words.first == "board" { return try board(Array(words.dropFirst()), arguments) }
    if words.count > 1 { throw ParserError.unexpectedArgument(words[1]) }
    let request = try request(words[0], arguments)
    let result = try Arena.run(request) { Terminal.status($0) }
    Terminal.status("")
    if arguments.isJSON {
      try Terminal.line(result.json())
    } else {
      try ArenaTable(style: try Style.out(arguments)).print(result)
    }
    guard result.passed else {
      let found = result.verdicts.first { !$0.isFine }
      throw LabError(
        .verdict, "'\(result.kernel)' failed: \(result.reason ?? "")", at: found?.place,
        advice: found?.check == .laws
          ? "trit kernel check \(result.kernel) names every law that it breaks" : nil)
    }
  }

  private static func request(_ word: String, _ arguments: ParsedArguments) throws -> ArenaRequest {
    var request = try ArenaContestant.request(word, arguments)
    let names = try arguments.list(against)
    if !names.isEmpty { request.baselines = names }
    let given = try arguments.list(shapes).map(shape)
    let counts = try arguments.integers(tokens, in: 1...ArenaCase.tokenLimit)
    request.cases = ArenaSuite.cases(
      given.isEmpty ? ArenaSuite.layers : given, tokens: counts.isEmpty ? ArenaSuite.tokens : counts
    )
    request.seed = try arguments.text(seed).flatMap(number)
    request.runs = try arguments.integer(runs, in: 1...64) ?? request.runs
    request.budget = try arguments.real(budget, in: 0...86_400) ?? request.budget
    request.fromMemory = !arguments.flag(warm)
    request.limit = try arguments.real(limit, in: 0.1...86_400) ?? request.limit
    request.threads = try arguments.integer(threads, in: 1...1024) ?? 1
    return request
  }

  /// `6912x2560`.
  private static func shape(_ text: String) throws -> WeightShape {
    let sides = text.split(omittingEmptySubsequences: false) { $0 == "x" || $0 == "×" }
      .map { Int($0) ?? 0 }
    guard sides.count == 2, (1...ArenaCase.rowLimit).contains(sides[0]),
      (1...ArenaCase.columnLimit).contains(sides[1])
    else {
      throw ParserError.invalidValue(
        shapes, value: text,
        expected:
          "rows x columns, as 6912x2560, up to \(ArenaCase.rowLimit) x \(ArenaCase.columnLimit)")
    }
    return WeightShape(sides[0], sides[1])
  }

  /// nil for `secret`.
  private static func number(_ text: String) throws -> UInt64? {
    if text == "secret" { return nil }
    let number =
      text.hasPrefix("0x") ? UInt64(text.dropFirst(2), radix: 16) : UInt64(text)
    guard let number else {
      throw ParserError.invalidValue(
        seed, value: text, expected: "'secret', or a whole number from 0, of at most 64 bits")
    }
    return number
  }

  private static func board(_ paths: [String], _ arguments: ParsedArguments) throws {
    guard !paths.isEmpty else { throw ParserError.missingArgument(files) }
    let board = try ArenaBoard(files: paths)
    if arguments.isJSON {
      for group in board.groups {
        for entry in group.entries { try Terminal.line(entry.result.json()) }
      }
      return
    }
    try ArenaTable(style: try Style.out(arguments)).print(board)
  }
}

/// Who a contest is about, and how the child makes it: a kernel by its name, or one of a plug-in as
/// `PATH#NAME`.
enum ArenaContestant {
  /// The contest of `word`, with the usual figures.
  static func request(_ word: String, _ arguments: ParsedArguments) throws -> ArenaRequest {
    let (path, name) = split(word)
    guard let path else {
      guard let descriptor = arguments.lab[.kernel].descriptor(word.before(":")),
        case .plugin(let path, let digest) = descriptor.origin
      else { return ArenaRequest(contestant: word) }
      return request(descriptor.name, of: path, digest: digest)
    }
    var lab = arguments.lab
    try arguments.context.load(path, &lab)
    let own = lab.guests.filter { guest in
      if case .plugin(path, _) = guest.descriptor.origin { guest.key == .kernel } else { false }
    }.map(\.descriptor)
    guard let name = name ?? (own.count == 1 ? own[0].name : nil),
      let descriptor = own.first(where: { $0.name == name }),
      case .plugin(_, let digest) = descriptor.origin
    else {
      let names = own.map(\.name)
      throw LabError(
        .usage,
        names.isEmpty ? "the plug-in has no kernel" : "which kernel of the plug-in is meant?",
        at: path, expected: names.isEmpty ? "a kernel" : "one of: \(names.joined(separator: ", "))",
        got: name, advice: names.first.map { "trit arena \(path):\($0)" }, code: .unknownName)
    }
    return request(name, of: path, digest: digest)
  }

  private static func request(_ name: String, of path: String, digest: String) -> ArenaRequest {
    let whole = AbsolutePath.standardized(path)
    return ArenaRequest(
      contestant: "\(whole)#\(name)", name: name, file: whole, origin: digest)
  }

  /// `mine.c` and `mine.c:NAME`, else nothing.
  private static func split(_ word: String) -> (path: String?, name: String?) {
    if LabPlugins.isPlugin(word) { return (word, nil) }
    guard let colon = word.lastIndex(of: ":"), LabPlugins.isPlugin(String(word[..<colon])) else {
      return (nil, nil)
    }
    return (String(word[..<colon]), String(word[word.index(after: colon)...]))
  }

  /// Makes a contestant or a baseline, in the child.
  static func resolve(_ word: String, lab: Lab, load: PluginLoading) throws -> any LinearKernel {
    guard let mark = word.lastIndex(of: "#") else {
      return try lab.make(.kernel, StageChoice(parsing: word))
    }
    var lab = lab
    try load(String(word[..<mark]), &lab)
    return try lab.make(.kernel, StageChoice(String(word[word.index(after: mark)...])))
  }
}

extension String {
  /// What stands before the first `mark`; all of it where there is none.
  fileprivate func before(_ mark: Character) -> String { String(prefix { $0 != mark }) }
}
