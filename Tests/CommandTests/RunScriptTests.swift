import Foundation
import Testing
import TritLab
import _TritTestSupport

/// `trit run --list` and `--emit`: numbers, and scripts that shells and make read as they are
/// meant.
@Suite struct RunScriptTests {
  let folder: TemporaryFolder
  let place: String

  init() throws {
    folder = try TemporaryFolder("scripts")
    place = folder.file("it's a $HOME \"folder\"")
    try FileManager.default.createDirectory(atPath: place, withIntermediateDirectories: true)
    try Data(
      """
      name: Some study
      model: builtin:tiny
      reference: none
      variants:
        - {name: "it's 100 % $PATH `x`", cache: f32}
        - {name: "#2; touch oops", cache: f16}
        - {name: "int8\\nline", cache: int8}
      measure: {generate: {prompts: ["a b"], tokens: 2}}
      """.utf8
    ).write(to: URL(fileURLWithPath: place + "/a 'study'.yaml"))
  }

  private func trit(_ words: String...) throws -> CommandResult {
    try CommandRunner.run(["run", "a 'study'.yaml"] + words, folder: place)
  }

  private func shell(_ line: String) throws -> CommandResult {
    let quoted = "'" + place.replacingOccurrences(of: "'", with: "'\\''") + "'"
    return try CommandRunner.shell("cd \(quoted) && \(line)")
  }

  /// Labels of the runs below `runs/`, and of the merged one.
  private func labels(_ result: CommandResult) throws -> [String] {
    let found = try shell("cat runs/some-study/*/results.jsonl")
    return try found.out.split(separator: "\n").compactMap {
      try JSONReader.read(String($0))["label"]?.string
    }.sorted()
  }

  private static let names = ["#2; touch oops", "int8\nline", "it's 100 % $PATH `x`"]

  @Test func theListSaysWhatIsKnown() throws {
    let before = try trit("--list")
    let lines = before.out.split(separator: "\n").map { $0.split(separator: "\t") }
    #expect(lines.map(\.count) == [5, 5, 5], "\(before)")
    #expect(lines.map { $0[0] } == ["0", "1", "2"] && lines.allSatisfy { $0[3] == "to do" })
    #expect(lines[1][2] == "#2; touch oops" && lines[1][4] == "name=#2; touch oops cache=f16")
    #expect(try trit("--index", "1", "-t", "1", "-q").status == 0)
    let after = try trit("--list", "-t", "1")
    #expect(
      after.out.split(separator: "\n").map { $0.split(separator: "\t")[3] } == [
        "to do", "reused", "to do",
      ])
    let json = try JSONReader.read(try trit("--list", "-t", "1", "--json").out)
    #expect(json.array?.map { $0["reused"]?.bool } == [false, true, false])
    // Where the model is not at hand, nobody knows.
    let unknown = try trit("--list", "-m", "nowhere")
    #expect(unknown.status == 0 && unknown.out.contains("\t?\t"), "\(unknown)")
    #expect(try trit("--list", "--only", "*100*").out.split(separator: "\n").count == 1)
    let wrong = try trit("--only", "into8*")
    #expect(wrong.status == 64 && wrong.err.contains("--only"), "\(wrong)")
    #expect(try trit("--shard", "3/2").status == 64)
    #expect(try trit("--index", "3").err.contains("0…2"))
    #expect(try trit("--chunks", "0:2").err.contains("no measure of the experiment has windows"))
  }

  /// The body of a job is run as Slurm runs it, once a number.
  @Test func aJobArrayRunsEveryVariant() throws {
    let script = try trit("--emit", "slurm", "-t", "1", "-j", "2")
    #expect(script.status == 0, "\(script)")
    for line in [
      "#SBATCH --array=0-2%2", "#SBATCH --cpus-per-task=1", "#SBATCH --job-name=some-study",
      "#SBATCH --output=some-study-%A_%a.log",
    ] {
      #expect(script.out.contains(line + "\n"), "\(script.out)")
    }
    let chdir = try #require(script.out.split(separator: "\n").first { $0.contains("--chdir=") })
    #expect(chdir.hasSuffix("folder\\\"\""), "\(chdir)")
    try folder.write(script.out, to: "job.sh")
    for number in 0..<3 {
      let job = try shell(
        "SLURM_ARRAY_TASK_ID=\(number) SLURM_CPUS_PER_TASK=1 bash \(folder.file("job.sh"))")
      #expect(job.status == 0, "\(job)")
    }
    let wrap = try #require(script.out.split(separator: "\n").first { $0.contains("--wrap") })
    // What is wrapped is one word, which is a command line.
    let collect = wrap.components(separatedBy: "--wrap ")[1]
    let merged = try shell("eval \(collect)")
    #expect(merged.status == 0, "\(merged)")
    #expect(
      try labels(merged) == Self.names.map(VisibleText.line).sorted()
        || labels(merged) == Self.names)
    #expect(!FileManager.default.fileExists(atPath: place + "/oops"))
    let some = try trit("--emit", "slurm", "--shard", "1/2")
    #expect(some.out.contains("#SBATCH --array=0,2%2\n"), "\(some)")
  }

  @Test func makeRunsEveryVariantOnceAndCollects() throws {
    let script = try trit("--emit", "make", "-t", "1")
    #expect(script.status == 0, "\(script)")
    try folder.write(script.out, to: "Sweep.mk")
    let made = try shell("make -j2 -f \(folder.file("Sweep.mk"))")
    #expect(made.status == 0, "\(made)")
    #expect(try labels(made).count == 3)
    #expect(!FileManager.default.fileExists(atPath: place + "/oops"))
    let one = try shell("make -f \(folder.file("Sweep.mk")) variant-1")
    #expect(one.status == 0 && !one.out.contains("--index"), "\(one)")
  }

  /// Without GNU parallel: the lines between the marks are what it would run.
  @Test func linesForParallelAreCommands() throws {
    let script = try trit("--emit", "parallel", "-t", "1", "-j", "2")
    #expect(
      script.out.contains("parallel --jobs 2 --joblog some-study.joblog --resume-failed <<"),
      "\(script)")
    let lines = script.out.components(separatedBy: "END-OF-JOBS")[1].split(separator: "\n")
      .filter { !$0.isEmpty && $0 != "'" }
    #expect(lines.count == 3, "\(lines)")
    for line in lines {
      let job = try shell(String(line))
      #expect(job.status == 0, "\(line): \(job)")
    }
    let json = try JSONReader.read(try trit("--emit", "parallel", "--json").out)
    #expect(
      json["variants"]?.integer == 3 && json["script"]?.string?.hasPrefix("#!/bin/sh") == true)
  }
}
