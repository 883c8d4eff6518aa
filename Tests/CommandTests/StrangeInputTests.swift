import Foundation
import Testing
import TritLab
import _TritTestSupport

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// Command lines and files that are not what they should be: what is said, and that following it
/// works.
@Suite struct StrangeInputTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder("strange") }

  private func expect(
    _ result: CommandResult, _ status: Int32, _ texts: String...,
    sourceLocation: SourceLocation = #_sourceLocation
  ) {
    #expect(result.status == status, "\(result)", sourceLocation: sourceLocation)
    for text in texts {
      #expect(result.err.contains(text), "'\(text)' in \(result)", sourceLocation: sourceLocation)
    }
  }

  // MARK: Numbers

  /// What is no finite number of the option's range is refused by name, with the range.
  @Test(arguments: [
    ("--temp", "nan", "a number from 0 to 100"), ("--temp", "inf", "a number from 0 to 100"),
    ("--temp", "-inf", "a number from 0 to 100"), ("--temp", "1e400", "a number from 0 to 100"),
    ("--temp", "warm", "a number from 0 to 100"), ("--top-p", "nan", "a number from 0 to 1"),
    ("--min-p", "-nan", "a number from 0 to 1"), ("--typical", "nan", "a number from 0 to 1"),
    ("--repeat-penalty", "nan", "a number from 0 to 100"),
    ("--presence-penalty", "inf", "a number from -100 to 100"),
    ("--frequency-penalty", "nan", "a number from -100 to 100"),
    ("--top-k", "nan", "a whole number from 0 to 16777216"),
    ("--top-k", "1.5", "a whole number from 0 to 16777216"),
    ("--top-k", "99999999999999999999", "a whole number from 0 to 16777216"),
    ("--repeat-last-n", "1e3", "a whole number from -1 to 1073741824"),
    ("--seed", "18446744073709551616", "of at most 64 bits"), ("-t", "inf", "from 1 to 1024"),
    ("-c", "-1", "from 0 to 16777216"), ("-n", "nan", "of at most 64 bits"),
    ("-l", "5+nan", "logit-bias"), ("-l", "5+1e9", "logit-bias"),
  ]) func numbersThatAreNone(option: String, value: String, words: String) throws {
    let result = try CommandRunner.run(
      ["generate", "-m", "builtin:storyteller", "-p", "a", option, value])
    // `-l` is checked with the other sampling options, the others where they are read.
    expect(result, 64, words)
    #expect(option == "-l" || result.err.contains("'\(value)'"), "\(result)")
  }

  @Test func numbersOutOfRangeAreToldTogether() throws {
    let result = try CommandRunner.run(
      ["generate", "-m", "x", "-p", "a", "--temp", "-1", "--top-p", "2"])
    expect(result, 64, "'temperature'", "'top-p'", "2 problems")
    // Minus nothing is nothing: greedy.
    let model = try TinyCheckpoint.write(.llamaDense, in: folder)
    let zero = ["generate", "-m", model, "-p", "a", "-n", "4", "-t", "1", "--temp"]
    let greedy = try CommandRunner.run(zero + ["0"])
    let negative = try CommandRunner.run(zero + ["-0"])
    #expect(greedy.status == 0 && greedy.out == negative.out, "\(greedy) \(negative)")
  }

  @Test func parametersOfStagesAndLists() throws {
    let nan = try CommandRunner.run(["bench", "-m", "x", "--quantizer", "twn:group=nan", "-p", "8"])
    #expect(nan.status != 0 && nan.status < 128, "\(nan)")
    expect(
      try CommandRunner.run(["bench", "-m", "builtin:storyteller", "-p", "nan"]), 64,
      "whole numbers")
    expect(
      try CommandRunner.run(["bench", "-m", "builtin:storyteller", "-p", "1-20000+1"]), 64,
      "at most 10000")
    let seed = try CommandRunner.run(
      ["generate", "-m", "x", "-p", "a"], environment: ["TRITLAB_SEED": "soon"])
    expect(seed, 64, "TRITLAB_SEED", "'soon'")
  }

  // MARK: Options before the command

  @Test(arguments: [
    (["--color"], "trit list --color never"), (["--color", "never"], "trit list --color never"),
    (["--color=never", "list"], "trit list --color=never"),
    (["--color", "never", "bench"], "trit bench --color never"),
    (["-m", "x", "generate"], "trit generate -m <model>"), (["--kernel", "tl1"], "trit "),
  ]) func optionsBelongBehindTheCommand(words: [String], example: String) throws {
    let result = try CommandRunner.run(words)
    expect(result, 64, "stands before the command", example)
    #expect(!result.err.contains("Did you mean"), "\(result)")
  }

  @Test func misspeltOptionsAreStillGuessed() throws {
    expect(
      try CommandRunner.run(["--colour"]), 64, "Unknown option '--colour'",
      "Did you mean '--color'?")
    expect(try CommandRunner.run(["--hlep"]), 64, "Did you mean '--help'?")
    expect(try CommandRunner.run(["list", "--color"]), 64, "expected auto, always, never")
    // The advice for '--color' works.
    #expect(try CommandRunner.run(["list", "--color", "never"]).status == 0)
  }

  // MARK: Names that are not UTF-8

  @Test func wordsThatAreNotUTF8AreShownEscaped() throws {
    let model = try TinyCheckpoint.write(.llamaDense, in: folder)
    // A folder in Latin-1, its link with a plain name, and the command in it.
    let made = try CommandRunner.shell(
      "cp -r '\(model)' \"$(printf '%s/caf\\351' '\(folder.path)')\"")
    guard made.status == 0 else { return }
    let latin = "\"$(printf '%s/caf\\351' '\(folder.path)')\""
    let refused = try CommandRunner.shell("trit generate -p a -n 1 -m \(latin)")
    expect(refused, 64, #"/caf\xE9'"#, "word 7", "ln -s", "rename")
    let linked = try CommandRunner.shell(
      "ln -s \(latin) '\(folder.path)/plain' && trit generate -p a -n 1 -t 1 -m '\(folder.path)/plain'"
    )
    expect(linked, 0)
    let inside = try CommandRunner.shell(
      "cd \(latin) && trit generate -p a -n 1 -t 1 -m . && trit inspect .")
    expect(inside, 0)
    let text = try CommandRunner.shell("trit tokenize -m \(latin) -p x")
    expect(text, 64, #"caf\xE9"#)
    let program = try CommandRunner.shell(
      "cp $TRIT \(latin)/trit && \(latin)/trit list kernel > /dev/null && \(latin)/trit --version > /dev/null"
    )
    expect(program, 0)
    let environment = try CommandRunner.shell(
      "export TRITLAB_NOTE=$'\\351' HOME=\(latin) XDG_CACHE_HOME=; trit list kernel > /dev/null")
    expect(environment, 0)
  }

  // MARK: Files that are not files

  @Test func pipesAndDevices() throws {
    let model = try TinyCheckpoint.write(.llamaDense, in: folder)
    // What a shell makes of a command's output is a text like any other.
    let piped = try CommandRunner.shell(
      "trit tokenize -m '\(model)' --ids -f <(printf 'Once upon')")
    let direct = try CommandRunner.run(["tokenize", "-m", model, "--ids", "-p", "Once upon"])
    #expect(piped.status == 0 && piped.out == direct.out, "\(piped)")
    let endless = try CommandRunner.run(["tokenize", "-m", model, "--ids", "-f", "/dev/zero"])
    expect(endless, 65, "too large for a text from a stream")
    let stream = try CommandRunner.shell("trit tokenize -m '\(model)' -f - < /dev/zero")
    expect(stream, 65, "standard input", "too large")
    expect(try CommandRunner.run(["run", "/dev/zero"]), 65, "too large for an experiment file")
    expect(try CommandRunner.run(["generate", "-m", "/dev/zero", "-p", "a"]), 65, "a device")
    expect(try CommandRunner.run(["run", folder.path]), 66, "a folder")
    expect(try CommandRunner.run(["generate", "-m", model, "-f", folder.path]), 65, "a folder")
  }

  @Test func filesThatMayNotBeRead() throws {
    // Root may read everything.
    guard getuid() != 0 else { return }
    let path = try folder.write("name: x", to: "secret.yaml")
    try #require(chmod(path, 0) == 0)
    expect(try CommandRunner.run(["run", path]), 66, "Permission denied", "chmod +r")
  }

  @Test func experimentsWithoutAModelSayWhatToType() throws {
    let yaml = "name: t\nmeasure: {weights: {}}\n"
    let path = try folder.write(yaml, to: "it's here.yaml")
    let result = try CommandRunner.run(["run", path], folder: folder.path)
    expect(result, 66, "names no model", "--set model=builtin:storyteller", "TRITLAB_MODEL")
    // The line after 'next:' can be typed as it stands, quotes and all.
    let line = try #require(
      result.err.split(separator: "\n").first { $0.contains("next: trit run") })
    let command = try #require(
      line.split(separator: "next: ").last?.split(separator: " runs it on").first.map(String.init))
    let followed = try CommandRunner.shell("cd '\(folder.path)' && \(command)")
    #expect(followed.status == 0, "\(command): \(followed)")
  }

  @Test func splitModelsAndForeignFiles() throws {
    let pointer = try folder.write(
      "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 12\n", to: "p.gguf")
    expect(
      try CommandRunner.run(["generate", "-m", pointer, "-p", "a"]), 65, "git-lfs pointer",
      "git lfs pull")
    expect(try CommandRunner.run(["inspect", pointer]), 65, "git-lfs pointer", "12 bytes")
    let page = try folder.write("<!doctype html>\n<title>404</title>", to: "page.gguf")
    expect(try CommandRunner.run(["generate", "-m", page, "-p", "a"]), 65, "web page", "/resolve/")
    let empty = try folder.write("", to: "empty.gguf")
    expect(try CommandRunner.run(["inspect", empty]), 65, "the file is empty")
  }
}
