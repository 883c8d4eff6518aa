import Foundation
import TritLab

/// `trit run --emit`: the runs of single variants as a script for a cluster, for GNU parallel or
/// for make.
///
/// Runs go to a folder of the experiment's own, told apart by what is varied and measured, so that
/// `trit collect` finds nothing else there.
struct RunScripts {
  /// The forms, each with what it is.
  static let forms = ["slurm", "parallel", "make"]

  let plan: ExperimentPlan
  /// The words of a run of one variant, without its number and its folder.
  let words: [String]
  /// Where the merged run is to go.
  let root: String
  /// Threads of each variant.
  let threads: Int
  /// Variants at the same time; nil is as many as there is room for.
  let jobs: Int?
  /// Where commands run.
  let folder = FileManager.default.currentDirectoryPath

  /// The script of a form.
  func text(_ form: String) throws -> String {
    let words = words + [root, folder, ProgramPath.readable]
    if let bad = words.first(where: { $0.contains { $0.isNewline } }) {
      throw LabError(
        .usage, "a path or a value holds a line break, which no script can hold", at: "--emit",
        got: VisibleText.line(bad), advice: "rename it")
    }
    switch form {
    case "slurm": return slurm
    case "parallel": return parallel
    default: return make
    }
  }

  // MARK: Words

  /// A word as a POSIX shell reads it back.
  static func quoted(_ word: String) -> String {
    let plain = word.utf8.allSatisfy { byte in
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"):
        true
      default: "/._-+,:@=".utf8.contains(byte)
      }
    }
    guard !plain || word.isEmpty else { return word }
    return "'"
      + word.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "'\\''")
      + "'"
  }

  private func line(_ words: [String]) -> String {
    ([ProgramPath.readable] + words).map(Self.quoted).joined(separator: " ")
  }

  private var name: String { plan.file.name.slug }
  /// The folder of the single runs.
  private var shards: String { "\(root)/\(name)-\(plan.study.prefix(8))" }

  private func run(index: String, threads: String) -> String {
    line(words) + " --index \(index) -t \(threads) -o \(Self.quoted(shards)) --quiet"
  }

  private var collect: String { line(["collect", shards, "-o", root]) }

  private func comment(_ variant: PlannedVariant) -> String {
    "\(variant.index)  \(variant.id)  \(VisibleText.line(variant.label))"
  }

  private var list: String { plan.variants.map { "# \(comment($0))\n" }.joined() }

  // MARK: Forms

  /// `0-7`, or the numbers where some are left out.
  private var array: String {
    let numbers = plan.variants.map(\.index)
    if let first = numbers.first, let last = numbers.last, last - first + 1 == numbers.count {
      return first == last ? "\(first)" : "\(first)-\(last)"
    }
    return numbers.map(String.init).joined(separator: ",")
  }

  private var slurm: String {
    // Slurm reads these lines itself: a word with other characters stands in double quotes.
    let place =
      Self.quoted(folder) == folder
      ? folder
      : "\""
        + folder.replacingOccurrences(of: "\\", with: "\\\\")
        .replacingOccurrences(of: "\"", with: "\\\"") + "\""
    return """
      #!/bin/bash
      #SBATCH --job-name=\(name)
      #SBATCH --array=\(array)%\(jobs ?? plan.variants.count)
      #SBATCH --cpus-per-task=\(threads)
      #SBATCH --chdir=\(place)
      #SBATCH --output=\(name)-%A_%a.log
      # One job a variant. Submit this file, then collect once all have ended:
      #   sbatch FILE
      #   sbatch --dependency=afterany:JOB --wrap \(Self.quoted(collect))
      # The variants:
      \(list)set -eu
      export OMP_NUM_THREADS="$SLURM_CPUS_PER_TASK"
      exec \(run(index: "\"$SLURM_ARRAY_TASK_ID\"", threads: "\"$SLURM_CPUS_PER_TASK\""))

      """
  }

  private var parallel: String {
    let lines = plan.variants.map { run(index: "\($0.index)", threads: "\(threads)") + "\n" }
      .joined()
    let jobs =
      jobs.map { " --jobs \($0)" }
      ?? (threads > 1 ? " --jobs $(( ($(nproc) + \(threads - 1)) / \(threads) ))" : "")
    return """
      #!/bin/sh
      # One line a variant, for GNU parallel: what has ended well is not run again. The variants:
      \(list)set -u
      cd \(Self.quoted(folder)) || exit 1
      parallel\(jobs) --joblog \(name).joblog --resume-failed <<'END-OF-JOBS'
      \(lines)END-OF-JOBS
      \(collect)

      """
  }

  private var make: String {
    /// A line of a recipe: make reads a dollar sign first.
    func recipe(_ line: String) -> String {
      "\tcd \(Self.quoted(folder)) && \(line)".replacingOccurrences(of: "$", with: "$$")
    }
    let stamps = ".\(name)-\(plan.study.prefix(8))"
    let targets = plan.variants.map { "variant-\($0.index)" }
    let rules = plan.variants.map { variant in
      let stamp = "\(stamps)/\(variant.index)-\(variant.id)"
      return """
        # \(comment(variant))
        variant-\(variant.index): \(stamp)
        \(stamp):
        \(recipe(run(index: "\(variant.index)", threads: "\(threads)")))
        \t@mkdir -p \(stamps) && touch $@

        """
    }.joined(separator: "\n")
    return """
      # One target a variant, and 'collect': make -f FILE -j 2 collect
      .DEFAULT_GOAL := collect
      .PHONY: all collect \(targets.joined(separator: " "))
      all: \(targets.joined(separator: " "))
      collect: all
      \(recipe(collect))

      \(rules)
      """
  }
}
