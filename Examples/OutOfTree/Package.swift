// swift-tools-version: 6.2
import PackageDescription

let package = Package(
  name: "OutOfTree",
  // Elsewhere: .package(url: "https://…/TritLab.git", from: "1.0.0").
  dependencies: [.package(name: "TritLab", path: "../..")],
  targets: [
    .target(name: "CDot", cSettings: [.define("NDEBUG")]),
    .target(
      name: "ExtraStages",
      dependencies: ["CDot", .product(name: "TritLab", package: "TritLab")],
      // The template of the figure is a file that gnuplot's editors know, and a part of the
      // program.
      resources: [.embedInCode("entropy-by-step.gp")]),
    .executableTarget(
      name: "trit-extra",
      dependencies: ["ExtraStages", .product(name: "TritCommand", package: "TritLab")],
      // Plug-ins of Swift find the program's own symbols; without it, those of C work all the same.
      linkerSettings: [
        .unsafeFlags(["-Xlinker", "--export-dynamic"], .when(platforms: [.linux]))
      ]),
    .testTarget(
      name: "ExtraStagesTests",
      dependencies: ["CDot", "ExtraStages", "trit-extra"]),
  ],
  swiftLanguageModes: [.v6],
  cLanguageStandard: .c11
)
