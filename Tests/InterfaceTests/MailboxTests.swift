import Testing

@testable import Interface

@Suite struct MailboxTests {
    private static func texts(_ messages: [Message]) -> [String] {
        messages.map { if case .failed(let text) = $0 { text } else { "" } }
    }

    @Test("Messages come in their order, urgent ones before all others")
    func order() {
        let mailbox = Mailbox()
        for text in ["a", "b", "c"] { mailbox.post(.failed(text)) }
        #expect(Self.texts(mailbox.take(limit: 1)) == ["a"])
        mailbox.post(.failed("now"), isUrgent: true)
        #expect(Self.texts(mailbox.take(limit: 9)) == ["now", "b", "c"])
        #expect(mailbox.take(limit: 9).isEmpty)
    }

    @Test("An answer does not wait behind a stream that fills the mailbox, and the stream waits for its turn")
    func fullMailbox() async {
        let mailbox = Mailbox()
        for number in 0..<Mailbox.capacity { await mailbox.deliver(.failed("\(number)")) }
        async let waiting: Void = mailbox.deliver(.failed("later"))
        mailbox.post(.sifted(1, []), isUrgent: true)
        guard case .sifted(1, [])? = mailbox.take(limit: 1).first else {
            return #expect(Bool(false), "the answer is not first")
        }
        var taken = 0
        while taken < Mailbox.capacity + 1 {
            taken += mailbox.take(limit: 16).count
            await Task.yield()
        }
        await waiting
        #expect(mailbox.take(limit: 1).isEmpty)
    }

    @Test("After its end nothing comes, and nobody waits")
    func closed() async {
        let mailbox = Mailbox()
        for number in 0..<Mailbox.capacity { await mailbox.deliver(.failed("\(number)")) }
        async let waiting: Void = mailbox.deliver(.failed("later"))
        mailbox.close()
        await waiting
        mailbox.post(.failed("too late"), isUrgent: true)
        #expect(mailbox.take(limit: 9).isEmpty)
    }
}
