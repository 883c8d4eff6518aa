import Foundation
import Testing
import TritLab
import _TritTestSupport

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// What files hold reaches a terminal as text that does nothing, whatever prints it.
@Suite struct BorderTests {
  let folder: TemporaryFolder
  /// A title, a clearing of the screen in C0 and C1, a change of direction, an element of HTML.
  static let evil = "x\u{1B}]0;pwn\u{7}\u{1B}[31m\u{9B}2J\u{202E}\u{7F}<script>"

  init() throws { folder = try TemporaryFolder("border") }

  /// Runs a command and checks both streams: nothing that drives a terminal, and something of the
  /// evil text.
  private func check(
    _ words: [String], quotes: Bool = true, environment: [String: String] = [:],
    sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    for color in ["", "1"] {
      let result = try CommandRunner.run(
        words, environment: environment.merging(["FORCE_COLOR": color]) { $1 })
      let text = result.out + result.err
      // Colours of our own are the only sequences, and only where they were asked for.
      let plain = color.isEmpty ? text : text.replacing(/\u{1B}\[(0|1|2|1;31)m/, with: "")
      let found = plain.unicodeScalars.filter {
        $0 != "\n" && $0 != "\t" && VisibleText.isHidden($0)
      }
      #expect(
        found.isEmpty, "\(words): \(VisibleText.line(text))", sourceLocation: sourceLocation)
      if quotes {
        #expect(text.contains("\\u{1b}"), "\(words): \(text)", sourceLocation: sourceLocation)
      }
      #expect((0...73).contains(result.status) || result.status == 130, "\(result)")
    }
  }

  @Test func wordsOfTheCommandLine() throws {
    let evil = Self.evil
    try check([evil])
    try check(["generate", "--" + evil])
    try check(["generate", "-m", evil, "-p", "a"])
    try check(["generate", "-m", folder.file(evil), "-p", "a"])
    try check(["generate", "-m", "hf:" + evil, "-p", "a"])
    try check(["generate", "-m", "builtin:" + evil, "-p", "a"])
    try check(["generate", "-m", "builtin:tiny", "-p", "a", "-n", evil])
    for option in ["--kernel", "--quantizer", "--activations", "--head", "--cache", "--attention"] {
      try check(["generate", "-m", "builtin:tiny", "-p", "a", option, evil])
    }
    try check(["generate", "-m", "builtin:tiny", "-p", "a", "--layers", evil])
    try check(["generate", "-m", "builtin:tiny", "-p", "a", "--layers", "*:\(evil)=x"])
    try check(["perplexity", "-m", "builtin:tiny", "-f", folder.file(evil)])
    try check(["run", folder.file(evil + ".yaml")])
    let file = try folder.write("name: a\nmeasure: {weights: {}}\n", to: "a.yaml")
    try check(["run", file, "--set", evil], quotes: false)
    try check(["run", file, "--set", "base.kernel=" + evil], quotes: false)
    try check(["list", evil])
    try check(["tokenize", "-m", "builtin:tiny", "-p", evil], quotes: false)
    try check(["export", "-m", "builtin:tiny", "-o", folder.file("no/\(evil)")])
    try check(
      ["generate", "-m", "builtin:tiny", "-p", "a"], environment: ["TRITLAB_CPU_WITHOUT": evil])
    try check(["generate", "-m", "builtin:tiny", "-p", "a"], environment: ["TRITLAB_SEED": evil])
  }

  @Test func experimentFiles() throws {
    let quoted = JSONWriter.text(.string(Self.evil))
    for (index, text) in [
      "\(quoted): 1", "name: a\nmeasure: {\(quoted): {}}",
      "name: a\nmodel: \(quoted)\nmeasure: {perplexity: {data: \(quoted)}}",
      "name: a\nbase: {kernel: \(quoted)}\nmeasure: {weights: {}}",
      "name: a\nplots: [\(quoted)]\nmeasure: {weights: {}}",
      "name: a\nvariants: [{name: \(quoted), kernel: nope}]\nmeasure: {weights: {}}",
      "name: a\nsweep: {quantizer: [absmean:\(quoted)]}\nmeasure: {weights: {}}",
    ].enumerated() {
      // The last two are told by the other name in the line, and by the place.
      try check(["run", try folder.write(text, to: "\(index).yaml")], quotes: index < 5)
    }
    // A byte that YAML has no place for is told by number, not shown.
    let raw = try folder.write("name: \u{1B}[31m\n", to: "raw.yaml")
    try check(["run", raw], quotes: false)
    let training = try folder.write("name: \(quoted)\n\(quoted): 1\n", to: "train.yaml")
    try check(["train", training])
  }

  @Test func aRunAndItsPrintedSummary() throws {
    let model = try TinyCheckpoint.write(.bitnetOnline, in: folder)
    try folder.write(
      String(repeating: "once upon a time the end. ", count: 60), to: "text\u{1B}.txt")
    let quoted = JSONWriter.text(.string(Self.evil))
    let file = try folder.write(
      """
      name: \(quoted)
      variants: [{name: \(quoted), kernel: i2_s}, {name: fails, kernel: i2_s, cache: "f32", threads: 1}]
      measure: {perplexity: {data: "text\\e.txt", context: 32, chunks: 2}}
      """, to: "run.yaml")
    try check(["run", file, "--set", "model=\(model)", "-o", folder.file("out")])
    try check(["run", file, "--list", "--set", "model=\(model)"])
  }

  @Test func headersOfModels() throws {
    // cases/esc.gguf: one key, twice, that is a sequence.
    let key = Array(Self.evil.utf8)
    func number(_ value: Int) -> [UInt8] {
      (0..<8).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
    }
    func pair(_ key: [UInt8]) -> [UInt8] {
      number(key.count) + key + [8, 0, 0, 0] + number(key.count) + key
    }
    func gguf(_ pairs: [[UInt8]]) -> [UInt8] {
      Array("GGUF".utf8) + [3, 0, 0, 0] + number(0) + number(pairs.count) + pairs.flatMap(\.self)
    }
    let twice = try folder.write(gguf([pair(key), pair(key)]), to: "twice.gguf")
    try check(["inspect", twice])
    try check(["generate", "-m", twice, "-p", "a"])
    let once = try folder.write(
      gguf([pair(key), pair(Array("general.architecture".utf8))]), to: "once.gguf")
    try check(["inspect", once])
    try check(["inspect", once, "--json"], quotes: false)
    try check(["generate", "-m", once, "-p", "a"], quotes: false)
    // Names of tensors and metadata of safetensors.
    let name = JSONWriter.text(.string(Self.evil))
    let header =
      "{\"__metadata__\":{\(name):\(name)},\(name):{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}"
    let file = number(header.utf8.count) + Array(header.utf8) + [0, 0, 0, 0]
    let path = try folder.write(file, to: "evil.safetensors")
    try check(["inspect", path])
    let bad = header.replacing("F32", with: "F\\u001b[31m")
    let wrong = number(bad.utf8.count) + Array(bad.utf8) + [0, 0, 0, 0]
    try check(["inspect", try folder.write(wrong, to: "wrong.safetensors")])
  }

  @Test func configurationsAndTokenizers() throws {
    let model = try TinyCheckpoint.write(.bitnetOnline, in: folder)
    let escaped = JSONWriter.text(.string(Self.evil)).dropFirst().dropLast()
    let config = try String(contentsOfFile: model + "/config.json", encoding: .utf8)
    for (old, new) in [("\"hidden_act\": \"", "\(escaped)"), ("\"model_type\": \"", "\(escaped)")] {
      let changed = config.replacing(old, with: old + new)
      guard changed != config else { continue }
      try Data(changed.utf8).write(to: URL(fileURLWithPath: model + "/config.json"))
      try check(["generate", "-m", model, "-p", "a"], quotes: false)
    }
    try Data(config.utf8).write(to: URL(fileURLWithPath: model + "/config.json"))
    let path = model + "/tokenizer.json"
    let tokenizer = try String(contentsOfFile: path, encoding: .utf8)
    let named = tokenizer.replacing("<|end|>", with: escaped)
    try Data(named.utf8).write(to: URL(fileURLWithPath: path))
    try check(["tokenize", "-m", model, "-p", Self.evil, "--parse-special"], quotes: false)
    let broken = tokenizer.replacing("\"ByteLevel\"", with: "\"\(escaped)\"")
    try Data(broken.utf8).write(to: URL(fileURLWithPath: path))
    try check(["tokenize", "-m", model, "-p", "a"])
  }

  @Test func questionsAndIds() throws {
    let quoted = JSONWriter.text(.string(Self.evil))
    let file = try folder.write(
      "{\"kind\": \(quoted), \"context\": \"once upon\", \"choices\": [\" a time\", \" the end.\"], \"answer\": 0}\n",
      to: "q.jsonl")
    try check(["perplexity", "-m", "builtin:tiny", "--multiple-choice", "-f", file])
    try check(["detokenize", "-m", "builtin:tiny", "--ids", "1,\(Self.evil)"])
  }

  #if os(Linux)
    /// Text of a model: as it is into a pipe, written out on a terminal.
    @Test func textOfAModelIsWrittenOutOnATerminalOnly() throws {
      let text = try folder.write("a\u{1B}[2Jb\n", to: "t.txt")
      let ids = try CommandRunner.run(
        ["tokenize", "-m", "builtin:storyteller", "-f", text, "--ids", "--no-bos"])
      #expect(ids.status == 0, "\(ids)")
      let list = ids.out.trimmingCharacters(in: .whitespacesAndNewlines)
      let words = ["detokenize", "-m", "builtin:storyteller", "--ids", list]
      #expect(try CommandRunner.run(words).out == "a\u{1B}[2Jb\n")
      #expect(try onTerminal(words) == "a\\u{1b}[2Jb\n")
    }

    /// What a command prints where standard output is a terminal.
    private func onTerminal(_ words: [String]) throws -> String {
      let main = open("/dev/ptmx", O_RDWR | O_NOCTTY)
      try #require(main >= 0)
      defer { close(main) }
      // TIOCSPTLCK and TIOCGPTN (ioctl_tty(2)): unlock the other end, and its number.
      var locked: Int32 = 0
      var number: Int32 = 0
      try #require(ioctl(main, UInt(0x4004_5431), &locked) == 0)
      try #require(ioctl(main, UInt(0x8004_5430), &number) == 0)
      let side = open("/dev/pts/\(number)", O_RDWR | O_NOCTTY)
      try #require(side >= 0)
      var settings = termios()
      tcgetattr(side, &settings)
      cfmakeraw(&settings)
      tcsetattr(side, TCSANOW, &settings)
      let process = Process()
      process.executableURL = URL(fileURLWithPath: CommandRunner.path)
      process.arguments = words
      process.environment = CommandRunner.environment([:])
      process.standardInput = FileHandle.nullDevice
      process.standardOutput = FileHandle(fileDescriptor: side, closeOnDealloc: true)
      process.standardError = FileHandle.nullDevice
      try process.run()
      process.waitUntilExit()
      var bytes = [UInt8](repeating: 0, count: 4096)
      _ = fcntl(main, F_SETFL, O_NONBLOCK)
      let count = read(main, &bytes, bytes.count)
      return String(decoding: bytes.prefix(max(count, 0)), as: UTF8.self)
    }
  #endif
}
