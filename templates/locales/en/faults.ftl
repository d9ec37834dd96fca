# What is wrong with what was typed: `fault-` and the fault's code.
fault-missing = This must be filled in.
fault-missing-decision = Choose to approve, to approve with less, or to reject.
fault-too-long = This is too long.
fault-not-plain = Use plain text only.
fault-out-of-range = This is outside what is possible.
fault-nothing-left = Nothing would be left. Reject the request instead.
fault-not-an-address = This does not look like an e-mail address.
fault-no-account = Nobody with this address has an account yet.
fault-not-a-slug = Use lower-case letters, digits and hyphens.
fault-not-a-base-url = Use an https address without a question mark or hash.
fault-not-an-origin = Name each address as https://ehr.example, without anything behind it.
fault-not-a-url = This is not a web address.
fault-taken = Another FHIR endpoint has this address.
fault-not-a-number = Type a whole number.
fault-too-many-tokens = There are too many tokens that can be used. Revoke those that are not needed.
