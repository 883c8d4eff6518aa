import Testing
import TritCore

@Suite("Leaf runner") struct LeafRunnerTests {
  /// No program; one that ends at once; one whose answer (an echo) is of no known version.
  @Test("what is no leaf server is a usage error", arguments: ["/nowhere/leaves", "true", "cat"])
  func refusals(command: String) {
    #expect {
      _ = try LeafRunner(command: command)
    } throws: { error in
      let error = error as? LabError
      return error?.kind == .usage && error?.place == "TRITLAB_LEAF_RUNNER"
        && error?.what.contains(command) == true
    }
  }
}
