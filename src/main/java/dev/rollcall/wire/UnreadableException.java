package dev.rollcall.wire;

/** Bytes that are not a value of the schemas in question; carries what is wrong with them. */
final class UnreadableException extends Exception {
    private static final long serialVersionUID = 1L;

    private final transient Defect defect;

    UnreadableException(Defect.Reason reason, String detail) {
        this(new Defect(reason, detail));
    }

    private UnreadableException(Defect defect) {
        super(defect.detail(), null, false, false); // bad input is an everyday thing: no stack trace
        this.defect = defect;
    }

    Defect defect() {
        return defect;
    }
}
