import Testing

@testable import Shim

@Suite struct DescriptorBudgetTests {
    @Test(
        "Strangers' connections leave the shim a quarter of its descriptors, and 64 at the least",
        arguments: [(1024, 768), (200, 136), (4096, 3072), (64, 0), (10, 0)])
    func bound(limit: Int, expected: Int) {
        let budget = DescriptorBudget(limit: limit)
        var taken = 0
        while budget.take(2) { taken += 2 }
        #expect(taken == expected)
        #expect(!budget.take(1))
        guard expected > 0 else { return }
        budget.giveBack(2)
        #expect(budget.take(2) && !budget.take(1))
    }
}
