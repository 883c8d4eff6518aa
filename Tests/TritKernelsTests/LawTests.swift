import Testing
import TritLab

@Suite struct LawTests {
  static let packings = Registry<any Packing>.standard.available()
  static let kernels = Registry<any LinearKernel>.standard.available()

  @Test(arguments: packings.map(\.name)) func packing(name: String) throws {
    let packing = try Registry<any Packing>.standard.make(StageChoice(name))
    #expect(packing.name == name)
    let violations = checkPacking(packing)
    #expect(violations.isEmpty, "\(violations.prefix(5))")
  }

  @Test(arguments: kernels.map(\.name)) func kernel(name: String) throws {
    let kernel = try Registry<any LinearKernel>.standard.make(StageChoice(name))
    #expect(kernel.name == name)
    let violations = checkLinearKernel(kernel)
    #expect(violations.isEmpty, "\(violations.prefix(5))")
  }
}
