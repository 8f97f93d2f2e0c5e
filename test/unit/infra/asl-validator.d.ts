declare module "asl-validator" {
  /** Checks a definition against the Amazon States Language. */
  export default function validate(
    definition: object,
    options?: { readonly checkPaths?: boolean; readonly checkArn?: boolean },
  ): { readonly isValid: boolean; errorsText(): string };
}
