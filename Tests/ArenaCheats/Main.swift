import TritArena
import TritCore
import TritKernels

/// A program that races the kernels of this folder as `trit arena` races others: honest ones by
/// their names in the lab, cheats by theirs (`Cheats.all`).
@main struct ArenaCheatsProgram {
  static func main() {
    let words = Array(CommandLine.arguments.dropFirst())
    let code = Arena.childMain(arguments: words) { name in
      if let make = Cheats.all[name] { return make() }
      return try Registry<any LinearKernel>.standard.make(try StageChoice(parsing: name))
    }
    ProcessEnd.exit(code ?? LabError.Kind.usage.rawValue)
  }
}
