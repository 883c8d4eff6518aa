internal import CTritPlugin
import Foundation
public import TritCore
import TritDrawing
import TritExperiments
import TritKernels
import TritPlugins

#if canImport(Glibc)
  @preconcurrency import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// The process in which cells run: the program itself, as a child. It loads what was compiled,
/// calls it, and tells what it gives. A cell that crashes ends this process and nothing else.
public enum CellHost {
  static let word = "__cell-host"

  /// Does a child's work where `arguments`, the program's name first, say that this process is one,
  /// and gives its exit code; else nil. `lab` is what cells find as `lab`. The first call of a
  /// program, beside `Plugins.childMain`.
  public static func childMain(_ arguments: [String], lab: Lab) -> Int32? {
    guard arguments.count > 1, arguments[1] == word else { return nil }
    TritNotebook.lab = lab
    HostChannel.open()
    // Whoever waits for a line sees it when it is printed.
    trit_cell_lines()
    signal(SIGPIPE, SIG_IGN)
    trit_child_watch(HostChannel.report, 0)
    trit_cell_watch_throws()
    Interruption.install()
    AutoMemory.shared.remember(in: arguments.count > 2 ? arguments[2] : "")
    // Programs that cells start have no part in this.
    for descriptor in [HostChannel.commands, HostChannel.events, HostChannel.report] {
      _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
    }
    HostChannel.send(HostEvent(kind: .ready))
    while let command = HostChannel.command() {
      var done = HostEvent(kind: .done)
      Interruption.reset()
      trit_cell_forget_throw()
      do {
        try run(command)
      } catch let error as Raised {
        done.failure = failure(error.error)
        done.frames = error.frames
      } catch {
        done.failure = failure(error)
        done.frames = throwFrames()
      }
      HostChannel.send(done)
    }
    return 0
  }

  private static func run(_ command: HostCommand) throws {
    // What the cell had added before it was run again is gone.
    TritNotebook.lab.removeGuests { $0.origin.path == command.id }
    TritNotebook.lab.guest = .plugin(path: command.id, digest: command.key)
    ExperimentOutcomes.beginCell()
    CellContext.current = CellContext(
      folder: (command.file as NSString).deletingLastPathComponent, runs: command.runs,
      isReplay: command.isReplay)
    switch command.language {
    case .swift:
      let library = try load(command)
      guard let entry = library.symbol(command.entry) else {
        throw LabError(
          .internalError, "the library of a cell lacks its main", expected: command.entry,
          advice: "remove the library, it is made again: rm '\(command.library)'")
      }
      var raised: UnsafeMutableRawPointer?
      if trit_cell_run(entry, &raised) != 0, let raised {
        // To throw it here would make its frames those of this function.
        throw Raised(error: unsafeBitCast(raised, to: (any Error).self), frames: throwFrames())
      }
    case .c:
      _ = try load(command)
      try addKernels(command)
    case .experiment:
      try runExperiment(
        command.text, file: command.file, line: command.line, showing: true)
    }
  }

  /// An error that left a cell.
  private struct Raised: Error {
    let error: any Error
    let frames: [UInt]
  }

  private static func load(_ command: HostCommand) throws -> LoadedLibrary {
    let library: LoadedLibrary
    do {
      library = try LoadedLibrary(command.library, of: command.file, isShared: true)
    } catch let error as LabError {
      let isClosed = error.got?.contains("undefined symbol") ?? false
      throw LabError(
        .failure, "the cell cannot be loaded", at: command.file, got: error.got,
        advice: isClosed
          ? "the program must export its symbols: link it with -Xlinker --export-dynamic"
          : error.advice)
    }
    if let inside = library.inside {
      let place = LoadedLibraries.Place(
        plugin: command.file, library: command.library, start: library.start(of: inside),
        end: library.end(of: inside))
      HostChannel.send(HostEvent(kind: .loaded, place: place))
    }
    return library
  }

  /// Kernels of a cell of C (`TRIT_KERNELS`): proved and added to the lab.
  private static func addKernels(_ command: HostCommand) throws {
    let kernels = try Plugins.kernels(
      ofLibrary: command.library, path: command.id, digest: command.key)
    for (descriptor, kernel) in kernels {
      guard descriptor.unavailable == nil else {
        print("kernel '\(descriptor.name)' cannot run here: \(descriptor.unavailable ?? "")")
        continue
      }
      if command.isReplay == false { try require(check(kernel)) }
      replace(.kernel, descriptor)
      try TritNotebook.lab.add(.kernel, descriptor) { _ in kernel }
    }
  }

  private static func failure(_ error: any Error) -> CellFailure {
    if let error = error as? CellFailure { return error }
    let isInterruption = (error as? LabError)?.kind == .interrupted
    let text = "\(error)"
    return CellFailure(
      isInterruption ? .interrupted : .thrown,
      name: isInterruption ? "Interrupted" : "\(type(of: error))",
      message: isInterruption ? "the cell was interrupted" : text)
  }

  /// The calls that led to the newest throw, one address in each.
  private static func throwFrames() -> [UInt] {
    var frames = [UnsafeMutableRawPointer?](repeating: nil, count: 48)
    let count = trit_cell_throw_frames(&frames, Int32(frames.count))
    // A frame holds the address to return to: the call is the byte before.
    return frames.prefix(Int(count)).map { UInt(bitPattern: $0) &- 1 }
  }
}

extension StageOrigin {
  /// The file, where the stage comes from one.
  var path: String? {
    if case .plugin(let path, _) = self { path } else { nil }
  }
}
