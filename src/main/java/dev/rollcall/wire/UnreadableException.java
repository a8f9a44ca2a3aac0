package dev.rollcall.wire;

/** Bytes that are not a value of the schemas in question; carries what is wrong with them. */
final class UnreadableException extends Exception {
    private static final long serialVersionUID = 1L;

    private final transient Defect defect;

    UnreadableException(Defect.Reason reason, String detail) {
        super(detail, null, false, false); // bad input is an everyday thing: no stack trace
        this.defect = new Defect(reason, detail);
    }

    Defect defect() {
        return defect;
    }
}
