import Foundation
import TritLab

#if canImport(Glibc)
  @preconcurrency import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// The command: finds the subcommand, reads its options, runs it, and turns what went wrong into a
/// message on standard error and an exit code.
///
/// A program that is it calls `main` and nothing else. One with more stages adds them to the lab before:
/// ```
/// var lab = Lab.standard
/// try lab.add(.kernel, StageDescriptor("mine", summary: "…", source: "…")) { _ in MyKernel() }
/// TritCommand.main(lab: lab)
/// ```
public enum TritCommand {
  /// Runs the words of the process's command line to the end of the process, with the stages of
  /// `lab` and of the files that `--plugin` names. The exit code is 0, or that of the error
  /// (`LabError.exitCode`).
  public static func main(lab: Lab, plugins: @escaping PluginLoader = noPlugins) -> Never {
    StandardStreams.open()
    // A reader that leaves early must not look like a crash: writes report EPIPE instead.
    signal(SIGPIPE, SIG_IGN)
    MappingFaults.install(prefix: "trit: error: ")
    MemoryLimit.install(prefix: "trit: error: ")
    Interruption.install()
    CacheFolder.rememberDecisions()
    let words = Array(CommandLine.arguments.dropFirst())
    ProcessEnd.exit(CommandDispatch(lab: lab, plugins: plugins).run(words))
  }
}
