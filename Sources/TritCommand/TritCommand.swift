import Foundation
import TritLab
import TritNotebook

#if canImport(Glibc)
  @preconcurrency import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// The command: finds the subcommand, reads its options, runs it, and turns what went wrong into a
/// message on standard error and an exit code.
///
/// A program that is it calls `main` and nothing else. One with more stages adds them to the lab
/// before:
/// ```
/// var lab = Lab.standard
/// try lab.add(.kernel, StageDescriptor("mine", summary: "…", source: "…")) { _ in MyKernel() }
/// TritCommand.main(lab: lab)
/// ```
public enum TritCommand {
  /// Runs the words of the process's command line to the end of the process, with the stages of
  /// `lab` and of the files that `--plugin` names. The exit code is 0, or that of the error
  /// (`LabError.exitCode`).
  public static func main(lab: Lab, plugins: PluginLoading? = nil) -> Never {
    // This program also serves as the child that proves a plug-in, and as the one that races a
    // kernel: they have streams and signals of their own.
    if let code = Plugins.childMain(CommandLine.arguments, swift: LabPlugins.entry(lab)) {
      ProcessEnd.exit(code)
    }
    if let code = CellHost.childMain(CommandLine.arguments, lab: lab) { ProcessEnd.exit(code) }
    var words = Array(CommandLine.arguments.dropFirst())
    let watched = WatchedRun(&words)
    let own = plugins.map { Self.approved($0) } ?? approvedPlugins(lab, isQuiet: watched != nil)
    let approved = watched?.telling(own) ?? own
    let load: PluginLoading = { path, lab in try approved(path, &lab) { _ in } }
    let resolve: (String) throws -> any LinearKernel = {
      try ArenaContestant.resolve($0, lab: lab, load: load)
    }
    if let code = Arena.childMain(arguments: words, resolve: resolve) { ProcessEnd.exit(code) }
    StandardStreams.open()
    // A reader that leaves early must not look like a crash: writes report EPIPE instead.
    signal(SIGPIPE, SIG_IGN)
    if ArgumentParser.asksForJSON(words) {
      // Crashes of a watched process are told by the one that watches.
      ErrorDocument.install(crashes: watched == nil) { Complaint.line($0, exitCode: $1) }
    }
    MappingFaults.install(prefix: "trit: error: ")
    MemoryLimit.install(prefix: "trit: error: ")
    Interruption.install()
    CacheFolder.rememberDecisions()
    let dispatch = CommandDispatch(lab: lab, plugins: load, approved: approved, watched: watched)
    ProcessEnd.exit(dispatch.run(words))
  }
}
